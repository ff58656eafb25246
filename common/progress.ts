/** Says in one short line what is being done now; shown as a status line, replaced by the next one. */
export type Progress = (message: string) => void;

export const silent: Progress = () => undefined;
