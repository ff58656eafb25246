import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadVersions, obtainArtifacts, obtainEngine, type ArtifactSet } from "../artifacts";
import { newestVersion } from "../tests/support/versions";
import { createMachines, shieldRanges, type BenchMachine } from "../tests/bench/machines";
import { PulumiRun } from "../tests/bench/ours";
import { NodesBench, type NodeResults } from "../tests/bench/nodes";
import { HAND_SCRIPT } from "../tests/bench/hand";
import { LoadWatch } from "../tests/bench/load";
import { render, renderNodes, type Results } from "../tests/bench/report";
import { BRINGUP_SCRIPT, isInstalled, prepareShell, runShell } from "../tests/bench/shell";
import { readVersions, renderVersions } from "../tests/bench/versions";
import { messageOf } from "../common/errors";
import { controllerArch } from "../components/machines/machine";
import { removeStack } from "../provider/docker/remove-stack";
import { withSession, type Session } from "../cli/engine/session";
import { run } from "../common/process";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";

const STACK = "kubewright-bench";
const DEFAULT_ROUNDS = 3;

const PARTS = ["cluster", "nodes"];

const COMMAND = {
  name: "bench",
  summary: "Compares Kubewright with a shell script that does the same work.",
  arguments: [["[parts-and-rounds...]", "cluster, nodes, and the number of rounds (default: both, 3)"]],
  examples: [
    ["5", "five rounds of everything"],
    ["nodes 5", "five rounds of node operations"],
  ],
} as const satisfies CommandDefinition;

/** `npm run bench`: alternates rounds of Kubewright and of a shell script. */
export async function main(args: readonly string[]): Promise<number> {
  const { words } = parseOptions(COMMAND, args);
  const rounds = Number(words.find((word) => !PARTS.includes(word)) ?? DEFAULT_ROUNDS);
  const parts = PARTS.filter((part) => words.includes(part) || !words.some((word) => PARTS.includes(word)));
  return await withSession("bench", (session) => bench(parts, rounds, session));
}

async function bench(parts: readonly string[], rounds: number, session: Session): Promise<number> {
  const { progress, signal } = session;
  const folder = mkdtempSync(join(tmpdir(), "kubewright-bench-"));
  try {
    const engine = await obtainEngine(progress, signal);
    const kubernetes = newestVersion(loadVersions());
    const request = { source: "auto", kubernetes, arch: controllerArch(), extras: true } as const;
    const artifacts = await obtainArtifacts(request, progress, signal);
    const scripts = [BRINGUP_SCRIPT, HAND_SCRIPT];
    const versions = await readVersions({ pulumi: engine.version, kubernetes, artifacts, scripts }, signal);
    // An installed package ships the bundle of the provider.
    await run(join(__dirname, "..", "bin", "pulumi-resource-kubewright"), ["--build-only"]);
    const setup = await prepareSetup(folder, artifacts);
    const cluster = parts.includes("cluster") ? render(await benchCluster(rounds, setup, session)) : "";
    const nodes = parts.includes("nodes") ? renderNodes(await benchNodes(rounds, setup, session)) : "";
    session.screen.close();
    process.stdout.write(`${renderVersions(versions)}${cluster}${nodes}`);
    return 0;
  } finally {
    await removeStack(STACK, new AbortController().signal);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Setup {
  folder: string;
  artifacts: ArtifactSet;
  /** Folder of the shell script. */
  shell?: string;
  /** Why the shell script does not run. */
  without?: string;
}

async function prepareSetup(folder: string, artifacts: ArtifactSet): Promise<Setup> {
  const without = isInstalled()
    ? artifacts.images.kind === "archives"
      ? undefined
      : "the script loads image archives, but images are pulled here"
    : "its folder does not exist";
  return without === undefined
    ? { folder, artifacts, shell: await prepareShell(folder, artifacts) }
    : { folder, artifacts, without };
}

/** Joins, drains and replaces workers of one cluster. */
async function benchNodes(
  rounds: number,
  { folder, shell, artifacts, without }: Setup,
  session: Session,
): Promise<NodeResults> {
  const nodes = new NodesBench(session.signal);
  const watch = new LoadWatch(session.progress, session.signal);
  let missing = without;
  // A failure of the script must not end the other measurements.
  const skipScript = (error: unknown) => {
    session.signal.throwIfAborted();
    missing = messageOf(error);
  };
  try {
    await nodes.begin();
    for (let round = 1; round <= rounds; round++) {
      await watch.beforeMeasurement();
      session.progress(`round ${round} of ${rounds}: a worker joins, is drained and replaced`);
      await nodes.ours();
      if (shell === undefined) continue;
      await watch.beforeMeasurement();
      session.progress(`round ${round} of ${rounds}: the same with a shell script`);
      await nodes.manual(folder, shell, artifacts).catch(skipScript);
    }
    return { ...nodes.results, loads: watch.loads, ...(missing ? { without: missing } : {}) };
  } finally {
    await nodes.end();
  }
}

async function benchCluster(rounds: number, { folder, shell, without }: Setup, session: Session): Promise<Results> {
  const watch = new LoadWatch(session.progress, session.signal);
  const results: Results = { ours: [], shell: [], noOps: [], loads: watch.loads, ...(without ? { without } : {}) };
  for (let round = 1; round <= rounds; round++) {
    const say = (text: string) => session.progress(`round ${round} of ${rounds}: ${text}`);
    // Alternate, so that other load of the computer affects both.
    if (shell) {
      await watch.beforeMeasurement();
      await onMachines(folder, session, async (machines, keys) => {
        await shieldRanges(STACK);
        const measured = await runShell(shell, machines, keys);
        results.shell.push(measured);
        say(`shell script ${measured.seconds.toFixed(1)} s`);
      });
    }
    await watch.beforeMeasurement();
    await onMachines(folder, session, (machines, keys) => ours(new PulumiRun(folder, machines, keys), results, say));
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

async function onMachines(
  folder: string,
  session: Session,
  work: (machines: BenchMachine[], keys: string) => Promise<void>,
): Promise<void> {
  const keys = join(folder, "keys");
  try {
    await work(await createMachines(STACK, keys, session.progress, session.signal), keys);
  } finally {
    await removeStack(STACK, new AbortController().signal);
  }
}
