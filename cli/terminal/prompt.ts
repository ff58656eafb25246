import { StepError } from "../../common/errors";

/**
 * Asks a yes-or-no question on the terminal; the default is no.
 * @throws StepError without a terminal: there `--yes` must confirm the action.
 */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new StepError({
      step: "asking for confirmation",
      cause: "there is no terminal",
      action: "read the plan above, then run the command again with --yes",
    });
  }
  const prompts = await import("@inquirer/prompts");
  return await onKeyboard(signal, (context) => prompts.confirm({ message: question, default: false }, context));
}

/** Waits for Enter on a terminal; returns immediately without one. */
export async function waitForEnter(invitation: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) return;
  const prompts = await import("@inquirer/prompts");
  await onKeyboard(signal, (context) => prompts.input({ message: invitation }, context));
}

interface PromptContext {
  signal: AbortSignal;
  output: NodeJS.WritableStream;
}

/**
 * The prompt ends by releasing the keyboard, which the session reads key by key (see interrupt.ts): this takes it back.
 */
async function onKeyboard<T>(signal: AbortSignal, prompt: (context: PromptContext) => Promise<T>): Promise<T> {
  const keyboard = process.stdin;
  const wasRaw = keyboard.isRaw;
  try {
    return await prompt({ signal, output: process.stderr });
  } catch (error) {
    signal.throwIfAborted(); // Ctrl-C reaches the prompt and the session; the session's reason is the one to report
    throw error;
  } finally {
    if (wasRaw) keyboard.setRawMode(true).resume();
  }
}
