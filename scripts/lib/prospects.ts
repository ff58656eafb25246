import type { KubeApi } from "../../provider/kube/api";
import type { Rules } from "./drain-node";

/** Whether the drain can succeed now. */
export async function prospects(_api: KubeApi, _node: string, _rules: Rules, _signal: AbortSignal): Promise<string[]> {
  return Promise.resolve([]);
}
