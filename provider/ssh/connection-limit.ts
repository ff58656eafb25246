/** A connection that counts against the limit: open, or about to be opened. */
export interface LimitedConnection {
  /** Whether no operation uses the connection. */
  readonly idle: boolean;
  /** Closes the connection to free its slot. The next operation opens it again. */
  close(): void;
}

/** Limits the number of open connections. At the limit, the connection that has been idle longest is closed. */
export class ConnectionLimit {
  /** Least recently used first. */
  private readonly open = new Set<LimitedConnection>();
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  get openCount(): number {
    return this.open.size;
  }

  /** Waits for a slot. A connection in use waits for no other slot, so this cannot deadlock. */
  async acquire(connection: LimitedConnection, signal: AbortSignal): Promise<void> {
    while (!this.open.has(connection) && this.open.size >= this.limit() && !this.closeIdle())
      await this.waitForChange(signal);
    this.open.delete(connection);
    this.open.add(connection);
  }

  release(connection: LimitedConnection): void {
    if (this.open.delete(connection)) this.waiting.shift()?.();
  }

  /** Marks a connection as the most recently used one, at the end of each operation. */
  markUsed(connection: LimitedConnection): void {
    if (!this.open.delete(connection)) return;
    this.open.add(connection);
    if (connection.idle) this.waiting.shift()?.();
  }

  private closeIdle(): boolean {
    for (const connection of this.open) {
      if (!connection.idle) continue;
      this.open.delete(connection);
      connection.close();
      return true;
    }
    return false;
  }

  private waitForChange(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(onChange), 1);
        reject(signal.reason as Error);
      };
      const onChange = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.waiting.push(onChange);
    });
  }
}
