import { messageOf } from "../../common/errors";
import { type Cell, type CellResult, type FaultContext, type Outcome, type Undo, isGreen } from "./cell";
import { CHECKS } from "./checks";
import { findProblems } from "./cluster-checks";
import { checkErrorClarity, checkInterruption, findStackTrace, readErrors, summarizeFailure } from "./error-clarity";
import { checkLoad } from "./load-check";
import { currentCommit } from "./commit";
import { PER_SECOND, type TestCluster } from "./test-cluster";

/** A command that takes longer hangs: its own deadlines are minutes. */
const LONGEST_MS = 10 * 60_000;
/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

/** Runs an operation with a fault, completes it with a second run if it failed, and judges the result. */
export async function runCell(cell: Cell, cluster: TestCluster): Promise<CellResult> {
  const start = Date.now();
  const { outcome, note } = await judgeCell(cell, cluster).catch((error: unknown) => ({
    outcome: "missed" as const,
    note: messageOf(error),
  }));
  if (isGreen({ outcome })) cluster.setSize(cell.operation.after);
  else cluster.discard();
  return {
    operation: cell.operation.name,
    phase: cell.phase.name,
    fault: cell.fault.name,
    outcome,
    seconds: secondsSince(start),
    ...(note ? { note } : {}),
    on: new Date().toISOString().slice(0, 10),
    commit: currentCommit(),
    checks: CHECKS,
  };
}

type Verdict = { outcome: Outcome; note?: string };

interface CommandResult {
  code: number | undefined;
  text: string;
  hung: boolean;
}

async function judgeCell(cell: Cell, cluster: TestCluster): Promise<Verdict> {
  const { operation, phase, fault } = cell;
  await cluster.prepareFor(operation);
  const load = await cluster.startLoad();
  const start = Date.now();
  await fault.prepare?.({ cluster, operation });
  const first = await runWithFault(cell, cluster);
  if (first.hung) return red(`no end within ${LONGEST_MS / 60_000} minutes: ${summarizeFailure(first.text)}`);
  if (fault.endsCommand && first.code === 0) throw new Error("the command ended before the fault hit it");
  const completed = first.code === 0 && phase.begins !== undefined;
  const second = completed ? undefined : await cluster.stack.npmRun(...npmScript(operation.resume));
  if (second && second.code !== 0) return red(`the next run fails: ${summarizeFailure(second.text)}`);
  const problems = await findProblems(operation, cluster);
  const mayFail = Boolean(fault.stopsMachine && operation.carriesPods);
  if (load)
    problems.push(...checkLoad(await load.stop(), { perSecond: PER_SECOND, seconds: secondsSince(start), mayFail }));
  problems.push(...checkOutput(first, operation.target));
  if (operation.cordons) await cluster.stack.npmRun("node:uncordon", operation.target);
  if (problems.length > 0) return red(problems.join("; "));
  return second ? { outcome: "resumed", note: errorNote(first.text) } : { outcome: "healed" };
}

/** A killed command has no exit code and reports nothing. */
function checkOutput({ code, text }: CommandResult, target: string): string[] {
  if (code === INTERRUPTED) return checkInterruption(text);
  return code ? checkErrorClarity(text, target) : findStackTrace(text);
}

function red(note: string): Verdict {
  return { outcome: "red", note };
}

function errorNote(text: string): string {
  return readErrors(text).length > 0 ? summarizeFailure(text) : "";
}

/** Runs the command and injects the fault when its phase begins, or after the end of the command. */
async function runWithFault({ operation, phase, fault }: Cell, cluster: TestCluster): Promise<CommandResult> {
  const [script, ...args] = operation.command;
  let text = "";
  let injection: Promise<Undo | void> | undefined;
  const context = (pid: number): FaultContext => ({ cluster, operation, pid });
  const { child } = await cluster.stack.startCommand(
    script,
    (chunk) => {
      text += chunk;
      if (!injection && phase.begins?.test(text)) injection = fault.inject(context(child.pid ?? 0));
      injection?.catch(() => undefined); // awaited below
    },
    ...args,
  );
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  }, LONGEST_MS);
  const { exitCode, signal } = await child.finally(() => clearTimeout(timer));
  if (!phase.begins && exitCode === 0) injection = fault.inject(context(0));
  if (!injection)
    throw new Error(`the phase did not begin; the command ended with ${exitCode ?? signal}: ${summarizeFailure(text)}`);
  const undo = await injection;
  if (undo) await undo();
  return { code: exitCode, text, hung };
}

/** Translates `node-drain` to `npm run node:drain`, and `up` to `npm start`. */
function npmScript([script, ...args]: readonly [string, ...string[]]): [string, ...string[]] {
  return [script === "up" ? "start" : script.replace("-", ":"), ...args];
}

function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1000);
}
