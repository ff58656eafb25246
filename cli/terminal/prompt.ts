import { StepError } from "../../common/errors";

/**
 * Asks on a terminal; without one nothing is asked, and the person must have said so beforehand. The session reads the keyboard key by
 * key, so one key is the answer.
 * @throws StepError without a terminal.
 */
export async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  const keyboard = process.stdin;
  if (!keyboard.isTTY) {
    throw new StepError({
      step: "asking whether to go on",
      cause: "there is no terminal",
      action: "read the plan above, and run it again with --yes",
    });
  }
  process.stderr.write(`${question} [y/N] `);
  const answer = await key(keyboard, signal);
  const yes = /^y/i.test(answer);
  process.stderr.write(yes ? "yes\n" : "no\n");
  return yes;
}

/** Waits for a key where there is somebody to press it; without a terminal nobody is waited for. */
export async function proceed(invitation: string, signal: AbortSignal): Promise<void> {
  const keyboard = process.stdin;
  if (!keyboard.isTTY) return;
  process.stderr.write(`\n${invitation} `);
  await key(keyboard, signal);
  process.stderr.write("\n");
}

function key(keyboard: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise<string>((done, fail) => {
    const stopped = () => fail(signal.reason instanceof Error ? signal.reason : new Error("stopped by you"));
    signal.addEventListener("abort", stopped, { once: true });
    keyboard.once("data", (keys: Buffer) => {
      signal.removeEventListener("abort", stopped);
      done(keys.toString());
    });
  });
}
