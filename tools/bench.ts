import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadVersions, obtainArtifacts, obtainEngine, type ArtifactSet } from "../artifacts";
import { newestVersion } from "../tests/support/versions";
import { benchCluster, CLUSTERS, STACK } from "../tests/bench/clusters";
import { HA_SCRIPT } from "../tests/bench/ha";
import { NodesBench, type NodeResults } from "../tests/bench/nodes";
import { HAND_SCRIPT } from "../tests/bench/hand";
import { LoadWatch } from "../tests/bench/load";
import { type BenchPlan, type Part, readPlan } from "../tests/bench/plan";
import { render, renderNodes } from "../tests/bench/report";
import { BRINGUP_SCRIPT, isInstalled, prepareShell } from "../tests/bench/shell";
import { readVersions, renderVersions } from "../tests/bench/versions";
import { messageOf } from "../common/errors";
import { controllerArch } from "../components/machines/machine";
import { removeStack } from "../provider/docker/remove-stack";
import { withSession, type Session } from "../cli/engine/session";
import { run } from "../common/process";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";

const COMMAND = {
  name: "bench",
  summary: "Compares Kubewright with a shell script that does the same work.",
  arguments: [["[parts-and-rounds...]", "cluster, nodes, ha, and the number of rounds (default: cluster nodes 3)"]],
  examples: [
    ["5", "five rounds of a small cluster and of node operations"],
    ["nodes 5", "five rounds of node operations"],
    ["ha", "three control planes and two workers"],
  ],
} as const satisfies CommandDefinition;

const SCRIPTS: Readonly<Record<Part, string>> = { cluster: BRINGUP_SCRIPT, nodes: HAND_SCRIPT, ha: HA_SCRIPT };

/** `npm run bench`: alternates rounds of Kubewright and of a shell script. */
export async function main(args: readonly string[]): Promise<number> {
  const { words } = parseOptions(COMMAND, args);
  const plan = readPlan(words);
  return await withSession("bench", (session) => bench(plan, session));
}

async function bench({ parts, rounds }: BenchPlan, session: Session): Promise<number> {
  const { progress, signal } = session;
  const folder = mkdtempSync(join(tmpdir(), "kubewright-bench-"));
  try {
    const engine = await obtainEngine(progress, signal);
    const kubernetes = newestVersion(loadVersions());
    const request = { source: "auto", kubernetes, arch: controllerArch(), extras: true } as const;
    const artifacts = await obtainArtifacts(request, progress, signal);
    const scripts = parts.map((part) => SCRIPTS[part]);
    const versions = await readVersions({ pulumi: engine.version, kubernetes, artifacts, scripts }, signal);
    // An installed package ships the bundle of the provider.
    await run(join(__dirname, "..", "bin", "pulumi-resource-kubewright"), ["--build-only"]);
    const setup = await prepareSetup(folder, artifacts);
    let report = renderVersions(versions);
    for (const part of parts) report += await benchPart(part, rounds, setup, session);
    session.screen.close();
    process.stdout.write(report);
    return 0;
  } finally {
    await removeStack(STACK, new AbortController().signal);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the report of one part. */
async function benchPart(part: Part, rounds: number, setup: Setup, session: Session): Promise<string> {
  if (part === "nodes") return renderNodes(await benchNodes(rounds, setup, session));
  return render(await benchCluster(CLUSTERS[part], { ...setup, rounds }, session));
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
