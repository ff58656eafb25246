import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadVersions, obtainArtifacts, obtainEngine, type ArtifactSet } from "../artifacts/index";
import { newestVersion } from "../tests/support/versions";
import { makeMachines, shieldRanges, type BenchMachine } from "../tests/bench/machines";
import { OurRun } from "../tests/bench/ours";
import { render, type Results } from "../tests/bench/report";
import { isThere, prepareShell, runShell } from "../tests/bench/shell";
import { controllerArch } from "../components/machines/machine";
import { removeStack } from "../provider/docker/sweep";
import { inSession, type Session } from "./lib/operate";
import { run } from "./lib/exec";
import { parseOptions } from "./lib/options";

const STACK = "kubewright-bench";
const DEFAULT_ROUNDS = 3;

/** `npm run bench`, `npm run bench -- 5`: rounds of ours and of the plain shell script, in turn, on fresh machines each time. */
export async function main(args: readonly string[]): Promise<number> {
  const rounds = Number(parseOptions(args).words[0] ?? DEFAULT_ROUNDS);
  return await inSession("bench", (session) => bench(rounds, session));
}

async function bench(rounds: number, session: Session): Promise<number> {
  const { progress, signal } = session;
  const folder = mkdtempSync(join(tmpdir(), "kubewright-bench-"));
  try {
    await obtainEngine(progress, signal);
    const artifacts = await obtainArtifacts({ source: "auto", kubernetes: newestVersion(loadVersions()), arch: controllerArch() }, progress, signal);
    await run(join(__dirname, "..", "bin", "pulumi-resource-kubewright"), ["--build-only"]); // an installed package ships it
    const results = await play(rounds, folder, artifacts, session);
    session.screen.close();
    process.stdout.write(render(results));
    return 0;
  } finally {
    await removeStack(STACK, new AbortController().signal);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(rounds: number, folder: string, artifacts: ArtifactSet, session: Session): Promise<Results> {
  const without = isThere() ? (artifacts.images.kind === "archives" ? undefined : "images are pulled here, and the script loads archives") : "its folder is not here";
  const shell = without === undefined ? await prepareShell(folder, artifacts) : undefined;
  const results: Results = { ours: [], shell: [], noOps: [], ...(without ? { without } : {}) };
  for (let round = 1; round <= rounds; round++) {
    const say = (text: string) => session.progress(`round ${round} of ${rounds}: ${text}`);
    // In turn, so that what the machine does beside hits both.
    if (shell) await onMachines(folder, session, async (machines, keys) => {
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
    run.forget();
  }
}

async function onMachines(folder: string, session: Session, work: (machines: BenchMachine[], keys: string) => Promise<void>): Promise<void> {
  const keys = join(folder, "keys");
  try {
    await work(await makeMachines(STACK, keys, session.progress, session.signal), keys);
  } finally {
    await removeStack(STACK, new AbortController().signal);
  }
}
