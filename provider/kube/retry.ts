import { StepError } from "../../common/errors";
import { patient } from "../../common/patience";
import { backoff } from "../../common/wait";
import { isTransient, reasonOf } from "./errors";

const DEADLINE_MS = 60_000;

/** Repeats a request, which must be idempotent, through restarts of the API server. */
export async function retryRequest<T>(step: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patient(DEADLINE_MS);
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StepError) throw error;
      if (!isTransient(error) || Date.now() > deadline) throw new StepError({ step, cause: reasonOf(error) });
      await backoff(attempt, signal);
    }
  }
}
