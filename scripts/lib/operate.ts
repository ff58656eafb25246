import type { OutputMap, Stack, UpOptions } from "@pulumi/pulumi/automation";
import { commandFailure } from "./failure";
import { onInterrupt } from "./interrupt";
import { clearPendingOperations } from "./pending";
import { engineProcess, freeLocks } from "./locks";
import { openScreen, type Screen } from "./screen";
import { refuseHeld } from "./stack-lock";
import { marked, wasCutOff } from "./unfinished";
import { UpdateView } from "./update-view";
import { PROJECT } from "./workspace";

export interface Session {
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Says what is going on before and after Pulumi is at work. */
  readonly progress: (message: string) => void;
}

/** A run that the person stopped, or that failed and has said why. */
export class Ended extends Error {
  constructor(readonly code: number) {
    super(`ended with code ${code}`);
  }
}

/** The frame of every command: a screen, Ctrl-C, errors said once at the end. */
export async function inSession(stack: string, work: (session: Session) => Promise<number>): Promise<number> {
  const screen = openScreen();
  const interrupt = onInterrupt(
    () => screen.line("stopping after the steps under way (Ctrl-C again stops at once); `npm start` goes on from there"),
    () => stopAtOnce(stack, screen),
  );
  try {
    return await work({ screen, signal: interrupt.signal, progress: (message) => screen.line(message) });
  } catch (error) {
    if (error instanceof Ended) return error.code;
    screen.close();
    if (interrupt.signal.aborted) return INTERRUPTED;
    process.stderr.write(`\n${process.env.KUBEWRIGHT_DEBUG && error instanceof Error ? (error.stack ?? "") : commandFailure(error)}\n`);
    return 1;
  } finally {
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

/**
 * Runs one Pulumi operation with progress on the screen; gives the view, which knows what changed. An `up` after a run that failed or was cut
 * off looks at every machine first: one may have been stopped, or half of something made, without the state knowing.
 */
export async function operate(stack: Stack, operation: Operation, session: Session, options: UpOptions = {}): Promise<{ view: UpdateView; outputs: OutputMap }> {
  refuseHeld(stack.name);
  await freeLocks(stack, PROJECT, session.progress, session.signal);
  await clearPendingOperations(stack, PROJECT, session.progress);
  const view = new UpdateView(session.screen);
  const common = { ...options, onEvent: view.onEvent, signal: session.signal, color: "never" as const };
  const look = operation === "up" && options.refresh !== true && wasCutOff(stack.name);
  if (look) session.progress("the last run did not end well: looking at every machine first");
  try {
    return await marked(stack.name, async () => {
      if (operation === "up") return { view, outputs: (await stack.up({ ...common, ...(look ? { refresh: true } : {}) })).outputs };
      await stack[operation](common);
      return { view, outputs: {} };
    });
  } catch (error) {
    session.screen.close();
    throw explained(error, view, session);
  }
}

function explained(error: unknown, view: UpdateView, session: Session): Error {
  if (session.signal.aborted) {
    process.stderr.write("\nstopped; `npm start` goes on from here, `npm run down` removes everything\n");
    return new Ended(INTERRUPTED);
  }
  const failures = view.failures.length > 0 ? view.failures : [commandFailure(error)];
  process.stderr.write(`\n${failures.length > 1 ? `${failures.length} errors:\n` : ""}${failures.map((failure) => `✗ ${failure}`).join("\n")}\n`);
  return new Ended(1);
}
