import type { KubeApi } from "../../provider/kube/api";
import { planDrain } from "../../provider/kube/drain-plan";
import { configuredDrain, type DrainSettings } from "./drain-node";

/** Describes whether a drain can succeed now, for the confirmation of a replacement. */
export async function drainForecast(
  api: KubeApi,
  stack: string,
  node: string,
  settings: DrainSettings,
  signal: AbortSignal,
): Promise<string[]> {
  const plan = await planDrain(api, node, { ...configuredDrain(stack), ...settings }, signal);
  const state = [plan.ready ? "Ready" : "NotReady", ...(plan.cordoned ? ["cordoned"] : [])].join(", ");
  const current = `${node} is ${state}; ${plan.pods} pods will move.`;
  if (plan.possible) return ["", `${current} A drain can succeed now.`];
  return ["", `${current} A drain would be held up now by:`, ...plan.obstacles.map((obstacle) => `  ${obstacle}`)];
}
