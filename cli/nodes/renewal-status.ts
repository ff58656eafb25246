import { HOUR_MS } from "../../common/duration";
import { readTimerProblems } from "../../provider/host/timer-result";
import type { Remote } from "../../provider/ssh/remote";
import { RENEWAL_RESULT, RENEWAL_SERVICE } from "../../render/renew-certificates";

const TIMER = { service: RENEWAL_SERVICE, result: RENEWAL_RESULT, longest: 2 * HOUR_MS };

/** Returns the problems of the last runs of the timers that renew certificates, one for each control plane. */
export async function readRenewalProblems(
  controlPlanes: readonly Remote[],
  options: { signal: AbortSignal; now?: number },
): Promise<string[]> {
  return await readTimerProblems(controlPlanes, TIMER, options);
}
