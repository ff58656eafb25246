let factor = 1;

/** From here on every deadline of this process is that many times as long. */
export function setPatience(times: number): void {
  factor = times;
}

/** A deadline, in whatever unit, as whoever configured `timeouts.patience` wants it. */
export function patient(amount: number): number {
  return amount * factor;
}
