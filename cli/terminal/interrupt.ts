import { setMaxListeners } from "node:events";

/** Handling of Ctrl-C. */
export interface Interrupt {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Restores the terminal. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const CTRL_C = 0x03;
/**
 * npm forwards a signal that the terminal has already sent to this process: a second one within this time is ignored.
 */
const ECHO_MS = 300;

/**
 * Calls `onFirst` at the first Ctrl-C and `onSecond` at the next. On a terminal Ctrl-C would also reach Pulumi, which
 * drops everything after a second interrupt: the keyboard is therefore read in raw mode, and Pulumi is interrupted
 * once, through the signal.
 */
export function onInterrupt(onFirst: () => void, onSecond: () => void): Interrupt {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal); // each request in progress listens to it
  let last = 0;
  const onSignal = () => {
    if (Date.now() - last < ECHO_MS) return;
    last = Date.now();
    if (abort.signal.aborted) return onSecond();
    onFirst();
    abort.abort(new Error("stopped by the user"));
  };
  SIGNALS.forEach((name) => process.on(name, onSignal));
  const releaseKeyboard = readKeyboard(onSignal);
  const release = () => {
    SIGNALS.forEach((name) => process.removeListener(name, onSignal));
    releaseKeyboard();
  };
  return { signal: abort.signal, release };
}

function readKeyboard(onCtrlC: () => void): () => void {
  const keyboard = process.stdin;
  if (!keyboard.isTTY) return () => undefined;
  const onKeys = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) onCtrlC();
  };
  const leaveRawMode = () => keyboard.setRawMode(false);
  keyboard.setRawMode(true).on("data", onKeys).resume();
  process.once("exit", leaveRawMode);
  return () => {
    process.removeListener("exit", leaveRawMode);
    keyboard.removeListener("data", onKeys).pause().setRawMode(false);
  };
}
