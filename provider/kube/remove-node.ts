import type { KubeApi } from "./api";
import { isReady, readNode } from "./cordon";
import { drain, type DrainResult } from "./drain";
import type { DrainOptions } from "./drain-options";
import { ignoreNotFound } from "./errors";
import { withinPoolLimit, type PoolGate } from "./pool-gate";
import { retryRequest } from "./retry";

/** Seconds to wait for other nodes of the pool to come back. */
const POOL_WAIT_SECONDS = 300;

export interface RemoveNodeOptions extends DrainOptions {
  /** The machine-id that the node must report. A rebuilt machine under the same name is not removed. */
  instance: string;
  gate: PoolGate;
  pool: string;
  /** Nodes of the pool that may be unavailable at the same time. */
  maxUnavailable: number;
  /** Called before anything in the cluster changes. Throws if the machine at the node's address is not the node's. */
  verifyMachine?: () => Promise<void>;
}

/**
 * Removes a node from the cluster: verifies its machine, waits until the pool can spare it, drains it and deletes the
 * Node object.
 * @returns undefined when the cluster has no such node
 */
export async function removeNode(api: KubeApi, options: RemoveNodeOptions): Promise<DrainResult | undefined> {
  const { node, instance, signal, force, timeout = POOL_WAIT_SECONDS } = options;
  const live = await readNode(api, node, signal);
  if (!live || (instance && live.status?.nodeInfo?.machineID !== instance)) return undefined;
  await options.verifyMachine?.();
  const remove = async () => {
    const result = await drain(api, options);
    await retryRequest(api, "deleting the node", signal, () => ignoreNotFound(api.core.deleteNode({ name: node })));
    return result;
  };
  // Removing a node that is already down makes no further node unavailable, and a forced removal does not wait.
  if (force || !isReady(live)) return await remove();
  return await withinPoolLimit(api, { ...options, timeout }, remove);
}
