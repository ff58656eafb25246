import { createProviderContext, type ProviderContext } from "../../provider/context/context";
import { DEFAULT_SETTINGS } from "../../provider/settings/settings";
import { commandFailure } from "../terminal/engine-errors";
import { onInterrupt } from "../terminal/interrupt";
import { printError } from "../terminal/output-mode";
import { openScreen, type Screen } from "../terminal/screen";
import { engineProcess } from "./pulumi-locks";
import { PROJECT } from "./project-folder";
import { userCommand } from "../../common/user-command";

/** What a running command works with. */
export interface Session {
  readonly screen: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Prints a progress line. */
  readonly progress: (message: string) => void;
  /** SSH connections and API clients of this command, closed when it ends. */
  readonly provider: ProviderContext;
}

/** Ends a command whose failure or interruption has already been reported. */
export class CommandEnded extends Error {
  /**
   * @param isLocked whether another run holds the stack's lock, so that nothing was changed
   * @param isUnchanged whether the run ended before it changed any resource, or tried to
   */
  constructor(
    readonly exitCode: number,
    readonly isLocked = false,
    readonly isUnchanged = false,
  ) {
    super(`ended with exit code ${exitCode}`);
  }
}

export const INTERRUPTED = 130;

export interface SessionOptions {
  isReadOnly?: boolean;
  afterInterrupt?: string;
}

/**
 * Runs a command with a screen and Ctrl-C handling, and reports its error. Returns the exit code.
 * @param failureCode exit code of a command that fails
 * @param options.isReadOnly whether the command changes nothing, so that an interruption leaves nothing unfinished
 * @param options.afterInterrupt what happens after an interruption, for the message
 */
export async function withSession(
  stack: string,
  work: (session: Session) => Promise<number>,
  failureCode = 1,
  { isReadOnly = false, afterInterrupt = `\`${userCommand("up")}\` continues from there` }: SessionOptions = {},
): Promise<number> {
  const screen = await openScreen();
  const interrupt = onInterrupt(
    () =>
      isReadOnly ||
      screen.line(`stopping after the current steps (press Ctrl-C again to stop immediately); ${afterInterrupt}`),
    () => stopImmediately(stack, screen),
  );
  const provider = createProviderContext({ ...DEFAULT_SETTINGS, agentSocket: process.env.SSH_AUTH_SOCK });
  try {
    return await work({ screen, signal: interrupt.signal, progress: (message) => screen.line(message), provider });
  } catch (error) {
    if (error instanceof CommandEnded) return error.exitCode;
    screen.close();
    if (interrupt.signal.aborted) return INTERRUPTED;
    printError(error, commandFailure);
    return failureCode;
  } finally {
    provider.connections.closeAll(); // an open connection would keep the process alive
    interrupt.release();
    screen.close();
  }
}

/** A second interrupt makes the engine stop immediately: it records unfinished operations in the state. */
function stopImmediately(stack: string, screen: Screen): never {
  screen.close();
  const engine = engineProcess(stack, PROJECT);
  if (engine) process.kill(engine, "SIGINT");
  process.exit(INTERRUPTED);
}
