/** The longest delay of a timer, 24.8 days: Node fires a longer one immediately. */
const LONGEST_MS = 2 ** 31 - 1;

/** Starts a timer for a deadline. A deadline that is longer than a timer's maximum never fires. */
export function startDeadline(seconds: number, onDeadline: () => void): NodeJS.Timeout | undefined {
  const milliseconds = seconds * 1000;
  return milliseconds > LONGEST_MS ? undefined : setTimeout(onDeadline, milliseconds);
}
