import type { KubeApi } from "../../provider/kube/api";
import { planDrain } from "../../provider/kube/drain-plan";
import { configuredRules, type Rules } from "./drain-node";

/** Whether the drain can succeed now, for the person who is asked. */
export async function prospects(
  api: KubeApi,
  stack: string,
  node: string,
  rules: Rules,
  signal: AbortSignal,
): Promise<string[]> {
  const plan = await planDrain(api, node, { ...configuredRules(stack), ...rules }, signal);
  const state = [plan.ready ? "Ready" : "not Ready", ...(plan.cordoned ? ["cordoned"] : [])].join(", ");
  const now = `${node} is ${state}; ${plan.pods} pods are to move.`;
  if (plan.possible) return ["", `${now} A drain can succeed now.`];
  return [
    "",
    `${now} As things are, the drain would be held up:`,
    ...plan.obstacles.map((obstacle) => `  ${obstacle}`),
  ];
}
