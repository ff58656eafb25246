import { setMaxListeners } from "node:events";

/** The longest delay of a timer, 24.8 days: Node fires a longer one immediately. */
const LONGEST_MS = 2 ** 31 - 1;

/** Starts a timer for a deadline. A deadline that is longer than a timer's maximum never fires. */
export function startDeadline(seconds: number, onDeadline: () => void): NodeJS.Timeout | undefined {
  const milliseconds = seconds * 1000;
  return milliseconds > LONGEST_MS ? undefined : setTimeout(onDeadline, milliseconds);
}

/**
 * Returns a signal that is aborted after a time, or together with another signal. It replaces `AbortSignal.timeout` and
 * `AbortSignal.any`, in which Node loses a deadline whose signal nothing else refers to:
 * https://github.com/nodejs/node/issues/57736. The timer does not keep the process alive.
 */
export function timeoutSignal(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // each request in progress listens to it
  const end = (reason: unknown) => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    controller.abort(reason);
  };
  const onAbort = () => end(signal?.reason);
  const onTimeout = () => end(new DOMException(`not finished within ${milliseconds} ms`, "TimeoutError"));
  const timer = setTimeout(onTimeout, milliseconds).unref();
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort);
  return controller.signal;
}
