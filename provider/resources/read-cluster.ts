import { StepError, messageOf } from "../../common/errors";
import { NOT_READ } from "../preview/notices";
import type { Context } from "../rpc/handler";

/**
 * Refreshes a resource that is in the cluster, not on one machine. If the cluster cannot be read, the recorded state is
 * kept, with a warning, so that a refresh shows what it can.
 * @param read returns undefined where the resource no longer exists
 * @throws the reason of the context's signal, after Ctrl-C
 */
export async function readCluster<State>(
  { warn, signal }: Pick<Context, "warn" | "signal">,
  recorded: State,
  read: () => Promise<State | undefined>,
): Promise<State | undefined> {
  try {
    return await read();
  } catch (error) {
    signal.throwIfAborted();
    if (!isOfCluster(error)) throw error;
    warn(`${NOT_READ}, its last known state is kept: ${messageOf(error)}`);
    return recorded;
  }
}

/** Whether the cluster is the reason of the error. A lost connection and an HTTP response have a code. */
function isOfCluster(error: unknown): boolean {
  return error instanceof StepError || (error instanceof Error && "code" in error);
}
