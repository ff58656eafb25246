import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadVersions, obtainArtifacts, obtainEngine, type ArtifactSet } from "../artifacts";
import { newestVersion } from "../tests/support/versions";
import { makeMachines, shieldRanges, type BenchMachine } from "../tests/bench/machines";
import { OurRun } from "../tests/bench/ours";
import { NodesBench, type NodeResults } from "../tests/bench/nodes";
import { render, renderNodes, type Results } from "../tests/bench/report";
import { isThere, prepareShell, runShell } from "../tests/bench/shell";
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
  usage: "npm run bench",
  summary: "Compares Kubewright with a shell script that does the same work.",
  argument: ["[parts-and-rounds...]", "cluster, nodes, and the number of rounds (default: both, 3)"],
  examples: [
    ["5", "five rounds of everything"],
    ["nodes 5", "five rounds of node operations"],
  ],
} as const satisfies CommandDefinition;

/** `npm run bench`, `npm run bench -- 5`, `npm run bench -- nodes 5`: rounds of ours and of a quick hand's, in turn. */
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
    await obtainEngine(progress, signal);
    const request = {
      source: "auto",
      kubernetes: newestVersion(loadVersions()),
      arch: controllerArch(),
      extras: true,
    } as const;
    const artifacts = await obtainArtifacts(request, progress, signal);
    await run(join(__dirname, "..", "bin", "pulumi-resource-kubewright"), ["--build-only"]); // an installed package ships it
    const ground = await groundOf(folder, artifacts);
    const cluster = parts.includes("cluster") ? render(await playCluster(rounds, ground, session)) : "";
    const nodes = parts.includes("nodes") ? renderNodes(await playNodes(rounds, ground, session)) : "";
    session.screen.close();
    process.stdout.write(`${cluster}${nodes}`);
    return 0;
  } finally {
    await removeStack(STACK, new AbortController().signal);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Ground {
  folder: string;
  artifacts: ArtifactSet;
  /** The opponent's folder. */
  shell?: string;
  /** Why there is no opponent. */
  without?: string;
}

async function groundOf(folder: string, artifacts: ArtifactSet): Promise<Ground> {
  const without = isThere()
    ? artifacts.images.kind === "archives"
      ? undefined
      : "images are pulled here, and the script loads archives"
    : "its folder is not here";
  return without === undefined
    ? { folder, artifacts, shell: await prepareShell(folder, artifacts) }
    : { folder, artifacts, without };
}

/** Workers that come and go, on one cluster for all rounds. */
async function playNodes(
  rounds: number,
  { folder, shell, artifacts, without }: Ground,
  session: Session,
): Promise<NodeResults> {
  const nodes = new NodesBench(session.signal);
  let missing = without;
  // A hand that fails costs its own figures and not ours.
  const told = (error: unknown) => {
    session.signal.throwIfAborted();
    missing = messageOf(error);
  };
  try {
    await nodes.begin();
    for (let round = 1; round <= rounds; round++) {
      session.progress(`round ${round} of ${rounds}: a worker joins, is drained and replaced`);
      await nodes.ours();
      session.progress(`round ${round} of ${rounds}: the same by hand`);
      if (shell !== undefined) await nodes.byHand(folder, shell, artifacts).catch(told);
    }
    return { ...nodes.results, ...(missing ? { without: missing } : {}) };
  } finally {
    await nodes.end();
  }
}

async function playCluster(rounds: number, { folder, shell, without }: Ground, session: Session): Promise<Results> {
  const results: Results = { ours: [], shell: [], noOps: [], ...(without ? { without } : {}) };
  for (let round = 1; round <= rounds; round++) {
    const say = (text: string) => session.progress(`round ${round} of ${rounds}: ${text}`);
    // In turn, so that what the machine does beside hits both.
    if (shell)
      await onMachines(folder, session, async (machines, keys) => {
        await shieldRanges(STACK);
        const measured = await runShell(shell, machines, keys);
        results.shell.push(measured);
        say(`shell script ${measured.seconds.toFixed(1)} s`);
      });
    await onMachines(folder, session, (machines, keys) => ours(new OurRun(folder, machines, keys), results, say));
  }
  return results;
}

async function ours(run: OurRun, results: Results, say: (text: string) => void): Promise<void> {
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
    await work(await makeMachines(STACK, keys, session.progress, session.signal), keys);
  } finally {
    await removeStack(STACK, new AbortController().signal);
  }
}
