/** What Ctrl-C means: the first time stop well, the second time stop at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the terminal back. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const CTRL_C = 0x03;
/** npm passes on a signal that the terminal has sent us already. */
const ECHO_MS = 300;

/**
 * On a terminal, Ctrl-C would reach Pulumi too, beside what we tell it, and two interrupts make it drop everything. So the key is
 * read as a key (raw mode), and Pulumi is told once, by us.
 */
export function onInterrupt(first: () => void, second: () => void): Interrupt {
  const abort = new AbortController();
  let last = 0;
  const interrupted = () => {
    if (Date.now() - last < ECHO_MS) return;
    last = Date.now();
    if (abort.signal.aborted) return second();
    first();
    abort.abort(new Error("stopped by you"));
  };
  SIGNALS.forEach((name) => process.on(name, interrupted));
  const releaseKeys = readKeys(interrupted);
  const release = () => {
    SIGNALS.forEach((name) => process.removeListener(name, interrupted));
    releaseKeys();
  };
  return { signal: abort.signal, release };
}

function readKeys(interrupted: () => void): () => void {
  const keyboard = process.stdin;
  if (!keyboard.isTTY) return () => undefined;
  const onKeys = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) interrupted();
  };
  const cooked = () => keyboard.setRawMode(false);
  keyboard.setRawMode(true).on("data", onKeys).resume();
  process.once("exit", cooked);
  return () => {
    process.removeListener("exit", cooked);
    keyboard.removeListener("data", onKeys).pause().setRawMode(false);
  };
}
