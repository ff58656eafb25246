import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { POOL_LABEL } from "../../common/labels";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { isCordoned, isReady } from "./cordon";
import { retryRequest } from "./retry";
import { userCommand } from "../../common/user-command";

const POLL_MS = 1_000;

/** Names of the nodes that this provider is removing, by pool. */
export class PoolGate {
  private readonly pools = new Map<string, Set<string>>();

  leavingNodes(pool: string): Set<string> {
    const nodes = this.pools.get(pool) ?? new Set<string>();
    this.pools.set(pool, nodes);
    return nodes;
  }
}

export interface PoolGateOptions {
  gate: PoolGate;
  pool: string;
  /** Nodes of the pool that may be unavailable at the same time. */
  maxUnavailable: number;
  node: string;
  /** Seconds to wait for a slot. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/**
 * Removes a node once fewer than `maxUnavailable` nodes of its pool are unavailable. Nodes that are down or cordoned
 * count, and so do nodes that this process removes in parallel. A removal needs no engine slot to finish, so nodes that
 * wait here cannot deadlock. components/nodes/rolling-update.ts makes the next removal wait for the previous
 * replacement.
 */
export async function withinPoolLimit<T>(api: KubeApi, options: PoolGateOptions, remove: () => Promise<T>): Promise<T> {
  const { gate, pool, node } = options;
  const leaving = gate.leavingNodes(pool);
  await waitUntilAllowed(api, leaving, options);
  try {
    return await remove();
  } finally {
    leaving.delete(node);
  }
}

async function waitUntilAllowed(api: KubeApi, leaving: Set<string>, options: PoolGateOptions): Promise<void> {
  const { pool, maxUnavailable, node, timeout, signal, status } = options;
  let unavailable: string[] = [];
  await until(
    async () => {
      const nodes = await listPoolNodes(api, pool, signal);
      unavailable = listUnavailable(node, nodes, leaving);
      // No await between this check and the reservation: two nodes cannot take the same slot.
      if (unavailable.length < maxUnavailable) return leaving.add(node);
      status(`${node} waits for its pool ${pool}: ${unavailable.join(", ")}`);
      return undefined;
    },
    { signal, timeout, patience: api.patience, every: POLL_MS, onTimeout: () => poolLimitError(options, unavailable) },
  );
}

async function listPoolNodes(api: KubeApi, pool: string, signal: AbortSignal): Promise<V1Node[]> {
  const list = await retryRequest(api, "listing the pool's nodes", signal, () =>
    api.core.listNode({ labelSelector: `${POOL_LABEL}=${pool}` }),
  );
  return list.items;
}

/** Returns the pool's other nodes that are unavailable, each with the reason. */
function listUnavailable(node: string, nodes: readonly V1Node[], leaving: ReadonlySet<string>): string[] {
  const reasons = new Map<string, string>();
  for (const other of nodes) {
    const name = other.metadata?.name ?? "";
    if (!isReady(other)) reasons.set(name, `${name} is not Ready`);
    else if (isCordoned(other)) reasons.set(name, `${name} is cordoned`);
  }
  for (const name of leaving) reasons.set(name, `${name} is being removed`);
  reasons.delete(node);
  return [...reasons.values()];
}

function poolLimitError({ node, pool, maxUnavailable }: PoolGateOptions, unavailable: readonly string[]): StepError {
  return new StepError({
    step: "drain",
    machine: node,
    cause: `${unavailable.join(", ")}; pool ${pool} allows ${maxUnavailable} unavailable at a time (maxUnavailable)`,
    action:
      `nothing was changed on this node; bring the others back (\`${userCommand("node uncordon")}\`, ` +
      `\`${userCommand("node replace")}\`) or raise maxUnavailable`,
  });
}
