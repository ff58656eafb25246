import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "../../common/progress";

/** How busy the machine that runs a benchmark is. */
export interface MachineLoad {
  /** Processes that run or wait for a processor: the average of one minute. */
  load: number;
  /** Number of processors. */
  cores: number;
}

/** Load per processor above which the machine counts as busy: other work then changes the measured times. */
export const QUIET_SHARE = 0.5;

/** Milliseconds. The load of a measurement itself takes a minute or two to leave the average. */
const PATIENCE_MS = 180_000;
const POLL_MS = 1_000;

const limitOf = (cores: number) => cores * QUIET_SHARE;
const isBusy = ({ load, cores }: MachineLoad) => load > limitOf(cores);

/** Returns why the measurements give no verdict; undefined if the machine was quiet before each of them. */
export function busyReason(loads: readonly MachineLoad[]): string | undefined {
  const [worst] = loads.filter(isBusy).sort((one, other) => other.load / other.cores - one.load / one.cores);
  if (worst === undefined) return undefined;
  const { load, cores } = worst;
  const limit = `a quiet machine has at most ${limitOf(cores).toFixed(1)}`;
  return `no verdict: the machine was busy (load ${load.toFixed(1)} on ${cores} cores; ${limit})`;
}

/** Returns the line of a report with the load before each measurement. */
export function loadLine(loads: readonly MachineLoad[]): string {
  const all = loads.map(({ load }) => load.toFixed(1)).join(", ");
  return `Load before each measurement, on ${loads[0]?.cores ?? 0} cores: ${all}`;
}

interface LoadOptions {
  read: () => MachineLoad;
  /** Milliseconds. */
  patience: number;
  /** Milliseconds. */
  every: number;
}

/** Waits before each measurement until the machine is quiet, and records its load. */
export class LoadWatch {
  readonly loads: MachineLoad[] = [];
  private readonly options: LoadOptions;

  /** @param options for tests */
  constructor(
    private readonly progress: Progress,
    private readonly signal: AbortSignal,
    options: Partial<LoadOptions> = {},
  ) {
    this.options = { read: readLoad, patience: PATIENCE_MS, every: POLL_MS, ...options };
  }

  /** Waits up to three minutes. After a measurement on a busy machine it no longer waits: there is no verdict. */
  async beforeMeasurement(): Promise<void> {
    const { read } = this.options;
    if (busyReason(this.loads) === undefined && isBusy(read())) await this.wait();
    this.loads.push(read());
  }

  private async wait(): Promise<void> {
    const { read, patience, every } = this.options;
    this.progress("waiting until the load of the machine has fallen");
    const deadline = Date.now() + patience;
    while (isBusy(read()) && Date.now() < deadline) {
      await sleep(every, undefined, { signal: this.signal }).catch(() => this.signal.throwIfAborted());
    }
  }
}

function readLoad(): MachineLoad {
  return { load: loadavg()[0] ?? 0, cores: cpus().length };
}
