/** Reports the current activity in one short line. It is shown as a status line, which the next report replaces. */
export type Progress = (message: string) => void;

export const silent: Progress = () => undefined;
