/** Who holds a place: a connection that is open, or about to be. */
export interface LimitedConnection {
  /** Nobody works over it at the moment. */
  readonly idle: boolean;
  /** It is to make room; it opens itself again when it is needed. */
  close(): void;
}

/** A bounded number of open connections. Who comes when all places are taken gets that of the one that has been idle for longest. */
export class ConnectionLimit {
  /** Least recently used first. */
  private readonly open = new Set<LimitedConnection>();
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  get openCount(): number {
    return this.open.size;
  }

  /** Waits for a place. Nobody who works keeps one while waiting for another's, so all come to their turn. */
  async acquire(tenant: LimitedConnection, signal: AbortSignal): Promise<void> {
    while (!this.open.has(tenant) && this.open.size >= this.limit() && !this.evict()) await this.turn(signal);
    this.open.delete(tenant);
    this.open.add(tenant);
  }

  release(tenant: LimitedConnection): void {
    if (this.open.delete(tenant)) this.waiting.shift()?.();
  }

  /** Called at the end of each piece of work. */
  markUsed(tenant: LimitedConnection): void {
    if (!this.open.delete(tenant)) return;
    this.open.add(tenant);
    if (tenant.idle) this.waiting.shift()?.();
  }

  private evict(): boolean {
    for (const tenant of this.open) {
      if (!tenant.idle) continue;
      this.open.delete(tenant);
      tenant.close();
      return true;
    }
    return false;
  }

  private turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((done, fail) => {
      const settle = (action: () => void) => {
        signal.removeEventListener("abort", abort);
        action();
      };
      const abort = () => {
        this.waiting.splice(this.waiting.indexOf(called), 1);
        settle(() => fail(signal.reason as Error));
      };
      const called = () => settle(done);
      signal.addEventListener("abort", abort, { once: true });
      this.waiting.push(called);
    });
  }
}
