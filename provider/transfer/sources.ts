import type { Connection } from "../../contracts/connection";
import { SharedWork } from "../../common/shared-work";
import type { Remote } from "../ssh/remote";
import { isOnOwnNetwork } from "./own-network";
import { probeScript } from "./probe";

/** Seconds in which a source must answer. */
const PROBE_SECONDS = 5;

/** Which machines can download from the sources of their files. Each machine probes a server once per run. */
export class Sources {
  private readonly probes = new Map<string, SharedWork<string | undefined>>();
  private readonly failures = new Map<string, string>();

  /** @param isNear whether a copy from this computer takes the shortest path to a machine; replaced in tests */
  constructor(private readonly isNear: (connection: Connection) => boolean = isOnOwnNetwork) {}

  /** Forgets what was found out in an earlier run. */
  forget(): void {
    this.probes.clear();
    this.failures.clear();
  }

  /** Records that a download failed: the machine does not try again in this run. */
  recordFailure(machine: Remote, reason: string): void {
    this.failures.set(machine.label, reason);
  }

  /** Returns why the machine should not download these URLs itself; undefined if it should. */
  async findObstacle(machine: Remote, urls: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    if (this.isNear(machine.connection)) return "it is in a network of this computer";
    const failure = this.failures.get(machine.label);
    if (failure !== undefined) return failure;
    const servers = new Map(urls.map((url) => [new URL(url).origin, url]));
    const key = [machine.label, ...[...servers.keys()].sort()].join(" ");
    const probe = this.probes.get(key) ?? new SharedWork((shared) => probeAll(machine, [...servers.values()], shared));
    this.probes.set(key, probe);
    return await probe.get(signal);
  }
}

async function probeAll(machine: Remote, urls: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const { code, stderr } = await machine.run(probeScript(urls, PROBE_SECONDS * machine.patience), {
    step: "probing the source of binaries",
    signal,
    accept: [0, 1],
    isReadOnly: true,
  });
  return code === 0 ? undefined : stderr.trim() || "the source does not answer";
}
