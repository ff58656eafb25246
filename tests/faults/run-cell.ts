import { messageOf } from "../../common/errors";
import { type Cell, type CellResult, type Lift, type Outcome, type Scene, isGreen } from "./cell";
import type { Ground } from "./test-cluster";
import { causeIn, errorsIn, traces, unclear } from "./error-clarity";
import { wrongAfter } from "./cluster-checks";

/** After so long a command hangs: its deadlines are minutes. */
const LONGEST_MS = 10 * 60_000;

/** Runs the operation with the fault in it, completes it if it must be, and judges what is there then. */
export async function runCell(cell: Cell, ground: Ground): Promise<CellResult> {
  const begun = Date.now();
  const { outcome, note } = await play(cell, ground).catch((error: unknown) => ({
    outcome: "missed" as const,
    note: messageOf(error),
  }));
  if (isGreen({ outcome })) ground.is(cell.operation.after);
  else ground.giveUp();
  return {
    operation: cell.operation.name,
    phase: cell.phase.name,
    fault: cell.fault.name,
    outcome,
    seconds: Math.round((Date.now() - begun) / 1000),
    ...(note ? { note } : {}),
    on: new Date().toISOString().slice(0, 10),
  };
}

type Verdict = { outcome: Outcome; note?: string };

async function play(cell: Cell, ground: Ground): Promise<Verdict> {
  const { operation, fault } = cell;
  await ground.readyFor(operation);
  const asking = await ground.ask();
  await fault.prepare?.({ ground, operation });
  const first = await struck(cell, ground);
  if (first.hung)
    return { outcome: "red", note: `no end within ${LONGEST_MS / 60_000} minutes: ${causeIn(first.text)}` };
  const again =
    first.code === 0 && cell.phase.begins ? undefined : await ground.stack.script(...npmScript(operation.again));
  const failure = errorsIn(first.text).join("; ");
  if (again && again.code !== 0) return { outcome: "red", note: `the next run fails: ${causeIn(again.text)}` };
  const wrong = await wrongAfter(operation, ground);
  const load = await asking?.stop();
  if (load && load.failed > 0 && !(fault.downsMachine && operation.carriesPods))
    wrong.push(`${load.failed} of ${load.total} requests failed: ${load.failures[0] ?? ""}`);
  wrong.push(...(first.code ? unclear(first.text, operation.target) : traces(first.text)));
  if (operation.cordons) await ground.stack.script("node:uncordon", operation.target);
  if (wrong.length > 0) return { outcome: "red", note: wrong.join("; ") };
  return again ? { outcome: "resumed", note: failure } : { outcome: "healed" };
}

/** The command, with the fault at the beginning of its phase. */
async function struck(
  { operation, phase, fault }: Cell,
  ground: Ground,
): Promise<{ code: number | undefined; text: string; hung: boolean }> {
  const [script, ...words] = operation.command;
  let text = "";
  let strike: Promise<Lift | void> | undefined;
  const scene = (pid: number): Scene => ({ ground, operation, pid });
  const { child } = await ground.stack.begin(
    script,
    (more) => {
      text += more;
      if (!strike && phase.begins?.test(text)) strike = fault.strike(scene(child.pid ?? 0));
      strike?.catch(() => undefined); // said below
    },
    ...words,
  );
  let hung = false;
  const late = setTimeout(() => {
    hung = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  }, LONGEST_MS);
  const { exitCode, signal } = await child.finally(() => clearTimeout(late));
  if (!phase.begins && exitCode === 0) strike = fault.strike(scene(0));
  if (!strike) throw new Error(`the phase did not come, and it ended with ${exitCode ?? signal}: ${causeIn(text)}`);
  const lift = await strike;
  if (lift) await lift();
  return { code: exitCode, text, hung };
}

/** `node-drain` of `begin` is `npm run node:drain`, and `up` is `npm start`. */
function npmScript([script, ...words]: readonly [string, ...string[]]): [string, ...string[]] {
  return [script === "up" ? "start" : script.replace("-", ":"), ...words];
}
