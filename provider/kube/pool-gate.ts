import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { POOL_LABEL } from "../../common/labels";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { isCordoned, isReady } from "./cordon";
import { retryRequest } from "./retry";

const POLL_MS = 1_000;

/** By pool: nodes that leave through us now. */
const leavingOf = new Map<string, Set<string>>();

export interface PoolGateOptions {
  pool: string;
  /** Nodes of the pool that may be away at a time. */
  maxUnavailable: number;
  node: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/**
 * Lets at most `maxUnavailable` nodes of a pool leave at a time: those that leave through us queue here, and those that are down or
 * cordoned already count too. Who holds a place needs nothing of Pulumi's to be done with it, so this alone cannot lock up. What
 * must not happen is that somebody waits here for a node that has yet to be built: of that take care the turns (components/rolling-update.ts).
 */
export async function withinPoolLimit<T>(api: KubeApi, options: PoolGateOptions, leave: () => Promise<T>): Promise<T> {
  const { pool, node } = options;
  const leaving = leavingOf.get(pool) ?? new Set<string>();
  leavingOf.set(pool, leaving);
  await waitUntilAllowed(api, leaving, options);
  try {
    return await leave();
  } finally {
    leaving.delete(node);
  }
}

async function waitUntilAllowed(
  api: KubeApi,
  leaving: Set<string>,
  { pool, maxUnavailable, node, timeout, signal, status }: PoolGateOptions,
): Promise<void> {
  let away = new Map<string, string>();
  await until(
    async () => {
      const list = await retryRequest("listing the pool's nodes", signal, () =>
        api.core.listNode({ labelSelector: `${POOL_LABEL}=${pool}` }),
      );
      away = new Map([
        ...list.items.flatMap(describeUnavailable),
        ...[...leaving].map((name) => [name, `${name} is leaving`] as const),
      ]);
      away.delete(node);
      if (away.size < maxUnavailable) return leaving.add(node); // in the same breath as the look: two cannot take one place
      status(`${node} waits: of pool ${pool} ${[...away.values()].join(", ")}`);
      return undefined;
    },
    {
      signal,
      timeout,
      every: POLL_MS,
      onTimeout: () => poolLimitError(node, pool, maxUnavailable, [...away.values()]),
    },
  );
}

function describeUnavailable(node: V1Node): [string, string][] {
  const name = node.metadata?.name ?? "";
  if (!isReady(node)) return [[name, `${name} is not Ready`]];
  return isCordoned(node) ? [[name, `${name} is cordoned`]] : [];
}

function poolLimitError(node: string, pool: string, maxUnavailable: number, away: readonly string[]): StepError {
  return new StepError({
    step: "drain",
    machine: node,
    cause: `${away.join(", ")}, and of pool ${pool} at most ${maxUnavailable} may be away at a time`,
    action:
      "nothing was changed on it; bring back or remove those first (`node:uncordon`, `node:replace`), or raise maxUnavailable",
  });
}
