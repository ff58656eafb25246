import type { EngineEvent, OutputMap, Stack, UpOptions } from "@pulumi/pulumi/automation";
import { turnsOf } from "../../components/pool";
import { commandFailure } from "../terminal/failure";
import { onInterrupt } from "../terminal/interrupt";
import { npmCommand } from "../terminal/options";
import { clearPendingOperations } from "./pending-operations";
import { engineProcess, freeLocks } from "./pulumi-locks";
import { createProviderContext, type ProviderContext } from "../../provider/context";
import { DEFAULT_SETTINGS } from "../../provider/settings";
import { withRebuilt } from "./rebuilt-machines";
import { undoneInstances } from "./state";
import { type Progress, progressText, RunRecord } from "./run-record";
import { openScreen, type Screen } from "../terminal/screen";
import { readStackConfig } from "./stack-config";
import { refuseHeld } from "./stack-lock";
import { Standstill } from "./standstill";
import { marked, wasCutOff } from "./unfinished-run";
import { UpdateView } from "../terminal/update-view";
import { PROJECT } from "./workspace";

export interface Session {
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Says what is going on before and after Pulumi is at work. */
  readonly progress: (message: string) => void;
  /** SSH connections and API clients of this command, closed when it ends. */
  readonly provider: ProviderContext;
}

/** A run that the person stopped, or that failed and has said why. */
export class Ended extends Error {
  constructor(readonly code: number) {
    super(`ended with code ${code}`);
  }
}

/** The frame of every command: a screen, Ctrl-C, errors said once at the end. */
export async function inSession(stack: string, work: (session: Session) => Promise<number>): Promise<number> {
  const screen = await openScreen();
  const interrupt = onInterrupt(
    () =>
      screen.line("stopping after the steps under way (Ctrl-C again stops at once); `npm start` goes on from there"),
    () => stopAtOnce(stack, screen),
  );
  const provider = createProviderContext({ ...DEFAULT_SETTINGS, agentSocket: process.env.SSH_AUTH_SOCK });
  try {
    return await work({ screen, signal: interrupt.signal, progress: (message) => screen.line(message), provider });
  } catch (error) {
    if (error instanceof Ended) return error.code;
    screen.close();
    if (interrupt.signal.aborted) return INTERRUPTED;
    process.stderr.write(
      `\n${process.env.KUBEWRIGHT_DEBUG && error instanceof Error ? (error.stack ?? "") : commandFailure(error)}\n`,
    );
    return 1;
  } finally {
    provider.connections.closeAll(); // an open connection would keep the command from ending
    interrupt.release();
    screen.close();
  }
}

const INTERRUPTED = 130;

/** The engine takes a second interrupt as "at once": what was under way is noted in the state as pending. */
function stopAtOnce(stack: string, screen: Screen): never {
  screen.close();
  const engine = engineProcess(stack, PROJECT);
  if (engine) process.kill(engine, "SIGINT");
  process.exit(INTERRUPTED);
}

export type Operation = "up" | "destroy" | "refresh";

export interface RunOptions extends UpOptions {
  /** Machine-ids of machines that the run replaces: what is on them is not removed first. */
  rebuilt?: readonly string[];
}

/**
 * Runs one Pulumi operation with progress on the screen; gives the view, which knows what changed. An `up` after a run that failed or was cut
 * off looks at every machine first: one may have been stopped, or half of something made, without the state knowing.
 */
export async function operate(
  stack: Stack,
  operation: Operation,
  session: Session,
  { rebuilt = [], ...options }: RunOptions = {},
): Promise<{ view: UpdateView; outputs: OutputMap }> {
  refuseHeld(stack.name);
  await freeLocks(stack, PROJECT, session.progress, session.signal);
  await clearPendingOperations(stack, PROJECT, session.progress);
  const view = new UpdateView(session.screen);
  const record = new RunRecord();
  const end = new AbortController();
  const standstill = new Standstill(() => end.abort());
  const onEvent = (event: EngineEvent) => [view, record, standstill].forEach((one) => one.onEvent(event));
  const common = {
    ...options,
    onEvent,
    signal: AbortSignal.any([session.signal, end.signal]),
    color: "never" as const,
  };
  const cutOff = wasCutOff(stack.name);
  // The engine (3.255) asks again to remove what a run that was cut off had removed from a machine before replacing it.
  const replaced = [...rebuilt, ...(cutOff ? await undoneInstances(stack) : [])];
  const look = operation === "up" && options.refresh !== true && cutOff;
  if (look) session.progress("the last run did not end well: looking at every machine first");
  try {
    return await marked(stack.name, async () =>
      withRebuilt(stack, replaced, async (config) => {
        // Other machines continue when one fails. Only resources that depend on the failed one wait.
        if (operation === "up") {
          const run = { ...common, ...config, continueOnError: true, ...(look ? { refresh: true } : {}) };
          return { view, outputs: (await stack.up(run)).outputs };
        }
        await stack[operation]({ ...common, ...config });
        return { view, outputs: {} };
      }),
    );
  } catch (error) {
    session.screen.close();
    const progress = operation === "up" ? record.progress(await configuredMachines(stack)) : [];
    throw explained(error, { view, progress, stack: stack.name }, session);
  } finally {
    standstill.close();
  }
}

/** None where the configuration is what failed. */
async function configuredMachines(stack: Stack): Promise<string[]> {
  const members = await readStackConfig(stack).then(turnsOf, () => undefined);
  return members ? [...(members.others ?? []), ...members.pools.flatMap(({ names }) => names)] : [];
}

interface Outcome {
  view: UpdateView;
  progress: readonly Progress[];
  stack: string;
}

function explained(error: unknown, { view, progress, stack }: Outcome, session: Session): Error {
  const stopped = session.signal.aborted;
  const begun = progress.some(({ state }) => state !== "not begun");
  const after = `\`${npmCommand("start", stack)}\` goes on from here`;
  if (stopped) {
    const lines = begun ? ["", ...progressText(progress)] : [];
    process.stderr.write(
      `${[...lines, "", `stopped; ${after}, \`${npmCommand("run down", stack)}\` removes everything`].join("\n")}\n`,
    );
    return new Ended(INTERRUPTED);
  }
  const told = begun ? progress.flatMap((one) => one.failures) : [];
  const failures = (view.failures.length > 0 ? view.failures : [commandFailure(error)]).filter(
    (failure) => !told.includes(failure),
  );
  const errors =
    failures.length === 0
      ? []
      : [...(failures.length > 1 ? [`${failures.length} errors:`] : []), ...failures.map((failure) => `✗ ${failure}`)];
  const lines = begun ? [...progressText(progress), "", `${after}: what is done is not done again`] : [];
  process.stderr.write(`\n${[...errors, ...(errors.length > 0 && begun ? [""] : []), ...lines].join("\n")}\n`);
  return new Ended(1);
}
