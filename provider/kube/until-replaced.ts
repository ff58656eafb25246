import type { Progress } from "../../common/progress";
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";

const POLL_MS = 500;

export interface ReplacedPods {
  /** What is replaced, for messages: `kube-proxy`. */
  what: string;
  /** What the pods have that are replaced: `image`. */
  previous: string;
  namespace: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/**
 * Waits until the pods of a workload are replaced.
 * @param findCause returns why they are not; an empty text when they are
 * @throws StepError at the deadline, with the last cause
 */
export async function untilReplaced(
  api: KubeApi,
  { what, previous, namespace, timeout, signal, status }: ReplacedPods,
  findCause: () => Promise<string>,
): Promise<void> {
  let cause = "";
  const areReplaced = async () => {
    cause = await findCause();
    if (cause === "") return true;
    status(`waiting for ${what}: ${cause}`);
    return undefined;
  };
  const onTimeout = (seconds: number) =>
    new StepError({
      step: `replacing ${what}`,
      cause: `${cause} after ${seconds} s; the pods of the previous ${previous} that still run stay`,
      action: `see \`kubectl -n ${namespace} get pods -o wide\`, then run \`pulumi up\` again`,
    });
  await until(areReplaced, { signal, timeout, patience: api.patience, every: POLL_MS, onTimeout });
}
