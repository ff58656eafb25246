import { StepError } from "../../common/errors";
import { isTransient, reasonOf } from "./errors";
import { userCommand } from "../../common/user-command";

const DEADLINE_MS = 60_000;
/** The pause between two attempts doubles from the first value to the second. */
const PAUSE_MS = { minTimeout: 100, maxTimeout: 5_000 };

/**
 * Sends a request and repeats it while the API server restarts or is overloaded. The request must be idempotent.
 * @param step what the request does, for the error
 * @throws StepError when the API server refuses the request, or when 60 s of attempts have failed
 */
export async function retryRequest<T>(
  { patience = 1 }: { readonly patience?: number },
  step: string,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T> {
  // p-retry is an ES module; this code base is compiled to CommonJS.
  const { default: retry } = await import("p-retry");
  const shouldRetry = ({ error }: { error: Error }) => !(error instanceof StepError) && isTransient(error);
  const limits = { retries: Infinity, maxRetryTime: DEADLINE_MS * patience, randomize: true, ...PAUSE_MS };
  try {
    return await retry(request, { ...limits, signal, shouldRetry });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof StepError ? error : describeFailure(step, reasonOf(error));
  }
}

/** A refresh cannot read the API of a control plane whose certificates have ended. A run without one renews them. */
function describeFailure(step: string, cause: string): StepError {
  if (!/certificate has expired/.test(cause)) return new StepError({ step, cause });
  const action = `run \`${userCommand("up")}\` without --refresh, which renews the control plane's certificates`;
  return new StepError({ step, cause, action });
}
