/**
 * How a remote step fails: `before` it does anything, `halfway`, `after` it is done (the answer is lost), together with
 * all later steps (`outage`), or by Ctrl-C (`cancel`).
 */
export const FAULTS = ["before", "halfway", "after", "outage", "cancel"] as const;
export type Fault = (typeof FAULTS)[number];

/** Counts the remote steps of an operation, and makes one of them fail. */
export class Faults {
  steps = 0;
  private plan: { at: number; fault: Fault; cancel: () => void } | undefined;

  /** Counts from 1 again, and makes the step with the number fail. */
  arm(at: number, fault: Fault, cancel: () => void): void {
    this.steps = 0;
    this.plan = { at, fault, cancel };
  }

  /** Counts from 1 again, without a fault. */
  disarm(): void {
    this.steps = 0;
    this.plan = undefined;
  }

  /**
   * Runs a remote step.
   * @param work does the step, or its first half
   * @param failure the error of a failed step
   */
  async pass<T>(work: (isHalf: boolean) => Promise<T>, failure: () => Error): Promise<T> {
    const step = ++this.steps;
    const { plan } = this;
    if (!plan || step < plan.at || (step > plan.at && plan.fault !== "outage")) return await work(false);
    if (plan.fault === "halfway") await work(true);
    if (plan.fault === "after") await work(false);
    if (plan.fault === "cancel") plan.cancel();
    throw failure();
  }
}
