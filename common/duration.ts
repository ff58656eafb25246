export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `12 days`, `30 hours`, `1 minute`, rounded down. `ms` is a time span in milliseconds. */
export function describeDuration(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  const [size, unit] = ms >= HOUR_MS ? ([HOUR_MS, "hour"] as const) : ([MINUTE_MS, "minute"] as const);
  const count = Math.floor(ms / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
