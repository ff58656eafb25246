import type { KubeApi } from "./api";
import { isReady, readNode } from "./cordon";
import { drain, type DrainResult } from "./drain";
import type { DrainOptions } from "./drain-options";
import { ignoreNotFound } from "./errors";
import { withinPoolLimit } from "./pool-gate";
import { retryRequest } from "./retry";

export interface RemoveNodeOptions extends DrainOptions {
  /** The incarnation of the machine; another one under the same name is not ours to take away. */
  instance: string;
  pool: string;
  maxUnavailable: number;
}

/** A node's way out of the cluster: its turn in the pool, the drain, and then the Node itself. @returns undefined where it had left already. */
export async function removeNode(api: KubeApi, options: RemoveNodeOptions): Promise<DrainResult | undefined> {
  const { node, instance, signal } = options;
  const live = await readNode(api, node, signal);
  if (!live || (instance && live.status?.nodeInfo?.machineID !== instance)) return undefined;
  const leave = async () => {
    const drained = await drain(api, options);
    await retryRequest("deleting the node", signal, () => ignoreNotFound(api.core.deleteNode({ name: node })));
    return drained;
  };
  // A node that is down already takes nothing more away when it leaves; and who forces does not wait for others.
  return options.force || !isReady(live)
    ? await leave()
    : await withinPoolLimit(api, { ...options, timeout: options.timeout ?? TURN_SECONDS }, leave);
}

const TURN_SECONDS = 300;
