import { existsSync } from "node:fs";
import type { Clock } from "../../common/clock";
import { localPath } from "../../common/portable-path";
import { until } from "../../common/wait";
import type { Connection } from "../../contracts/connection";

/** Milliseconds in which a missing key file may still be written, before `patience` is applied. */
const WRITTEN_WITHIN_MS = 5_000;

/**
 * Key files that are not on this computer. `pulumi refresh` reads machines in parallel with `local:SshKey`, which
 * writes its file from the state where another computer has created the key.
 */
export class MissingKeys {
  /** Until when each file may still be written. */
  private readonly deadlines = new Map<string, number>();

  constructor(
    private readonly settings: { readonly patience: number },
    private readonly clock: Clock,
  ) {}

  /** Waits until the connection's key file exists, but only once for each file: a missing one fails the login. */
  async wait({ privateKey, privateKeyPath }: Connection, signal: AbortSignal): Promise<void> {
    if (privateKey || !privateKeyPath) return;
    const file = localPath(privateKeyPath);
    if (existsSync(file)) return;
    const deadline = this.deadlines.get(file) ?? this.clock.now() + WRITTEN_WITHIN_MS * this.settings.patience;
    this.deadlines.set(file, deadline);
    const isDone = () => existsSync(file) || this.clock.now() >= deadline || undefined;
    const onTimeout = () => new Error(`no file ${file}`);
    await until(() => Promise.resolve(isDone()), { signal, timeout: Infinity, every: 50, onTimeout });
  }

  /** Waits again for files that were missing: a new run may write them. */
  reset(): void {
    this.deadlines.clear();
  }
}
