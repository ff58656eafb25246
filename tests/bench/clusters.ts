import { join } from "node:path";
import type { Session } from "../../cli/engine/session";
import { messageOf } from "../../common/errors";
import { removeStack } from "../../provider/docker/remove-stack";
import { runHa } from "./ha";
import { LoadWatch } from "./load";
import { CONTROL_PLANE, CONTROL_PLANES, createMachines, shieldRanges, WORKERS, type BenchMachine } from "./machines";
import type { Measured } from "./measure";
import { PulumiRun } from "./ours";
import type { Results } from "./report";
import { runShell } from "./shell";

/** Stack of the machines, which an interrupted benchmark leaves behind. */
export const STACK = "kubewright-bench";

/** A cluster, and the script that creates the same one. */
interface ClusterBench {
  title: string;
  aim: number;
  names: readonly string[];
  script: (shell: string, machines: readonly BenchMachine[], keyFolder: string) => Promise<Measured>;
}

export const CLUSTERS = {
  cluster: {
    title: "1 control plane and 2 workers",
    aim: 1.25,
    names: [CONTROL_PLANE, ...WORKERS],
    script: runShell,
  },
  ha: {
    title: "3 control planes and 2 workers",
    aim: 1,
    names: [...CONTROL_PLANES, ...WORKERS],
    script: runHa,
  },
} as const satisfies Record<string, ClusterBench>;

export interface ClusterSetup {
  folder: string;
  rounds: number;
  /** Folder of the shell script, prepared. */
  shell?: string | undefined;
  /** Why the script does not run. */
  without?: string | undefined;
}

/** Creates clusters on fresh machines in turns, with the script and with `pulumi up`. */
export async function benchCluster(
  { title, aim, names, script }: ClusterBench,
  { folder, rounds, shell, without }: ClusterSetup,
  session: Session,
): Promise<Results> {
  const watch = new LoadWatch(session.progress, session.signal);
  const results: Results = { machines: title, aim, ours: [], shell: [], noOps: [], loads: watch.loads };
  if (without !== undefined) results.without = without;
  const onMachines = async (work: (machines: BenchMachine[], keys: string) => Promise<void>) => {
    await watch.beforeMeasurement();
    await withMachines(names, join(folder, "keys"), session, work);
  };
  for (let round = 1; round <= rounds; round++) {
    const say = (text: string) => session.progress(`round ${round} of ${rounds}: ${text}`);
    // Alternate, so that other load of the computer affects both.
    if (shell !== undefined) {
      await onMachines(async (machines, keys) => {
        await shieldRanges(STACK);
        const measured = await script(shell, machines, keys);
        results.shell.push(measured);
        say(`shell script ${measured.seconds.toFixed(1)} s`);
      }).catch((error: unknown) => {
        // A failure of the script must not end the other measurements.
        session.signal.throwIfAborted();
        results.without = messageOf(error);
        say(results.without);
      });
    }
    await onMachines((machines, keys) => ours(new PulumiRun(folder, machines, keys), results, say));
  }
  return results;
}

async function ours(run: PulumiRun, results: Results, say: (text: string) => void): Promise<void> {
  try {
    const measured = await run.bringUp();
    results.ours.push(measured);
    say(`pulumi up ${measured.seconds.toFixed(1)} s`);
    const noOp = await run.again();
    results.noOps.push(noOp);
    say(`pulumi up without changes ${noOp.seconds.toFixed(1)} s`);
  } finally {
    run.removeFiles();
  }
}

async function withMachines(
  names: readonly string[],
  keys: string,
  { progress, signal }: Session,
  work: (machines: BenchMachine[], keys: string) => Promise<void>,
): Promise<void> {
  try {
    await work(await createMachines(STACK, names, keys, progress, signal), keys);
  } finally {
    await removeStack(STACK, new AbortController().signal);
  }
}
