import type { Reporter, Vitest } from "vitest/node";

/**
 * Lets vitest end a run after SIGINT as after Ctrl-C on its own terminal: the tests in progress are cancelled, no
 * further ones begin, and the hooks that clean up run. Without it, vitest ends without them, and leaves its worker.
 */
export default class InterruptReporter implements Reporter {
  onInit(vitest: Vitest): void {
    process.removeAllListeners("SIGINT");
    process.on("SIGINT", () => void vitest.cancelCurrentRun("keyboard-input"));
  }
}
