import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { orMissing, reasonOf, statusOf } from "./errors";
import { patiently } from "./retry";

const MIRROR = "kubernetes.io/config.mirror";
const EVICTION_RETRY_MS = 1_000;

export interface DrainOptions {
  node: string;
  /** Seconds until the drain is given up and the node made schedulable again. */
  timeout: number;
  signal: AbortSignal;
  status: (message: string) => void;
}

export async function setSchedulable(api: KubeApi, node: string, schedulable: boolean, signal: AbortSignal): Promise<void> {
  const body = { spec: { unschedulable: schedulable ? null : true } };
  await patiently(schedulable ? "uncordon" : "cordon", signal, () => orMissing(api.core.patchNode({ name: node, body }, api.mergePatch)));
}

/** The pods that a drain moves away: not DaemonSets' (they come back at once), not mirrors of static pods, not finished ones. */
export async function podsToMove(api: KubeApi, node: string, signal: AbortSignal): Promise<V1Pod[]> {
  const list = await patiently("listing pods", signal, () => api.core.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}` }));
  return list.items.filter(({ metadata, status }) => {
    if (metadata?.annotations?.[MIRROR] !== undefined) return false;
    if (metadata?.ownerReferences?.some(({ kind, controller }) => kind === "DaemonSet" && controller)) return false;
    return status?.phase !== "Succeeded" && status?.phase !== "Failed";
  });
}

/**
 * Cordons and evicts through the eviction API, so that PodDisruptionBudgets are kept. On the deadline, or when told to stop, the node is
 * schedulable again: never half-way.
 * https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
 */
export async function drain(api: KubeApi, options: DrainOptions): Promise<void> {
  const { node, signal } = options;
  await setSchedulable(api, node, false, signal);
  try {
    await evictAll(api, options);
  } catch (error) {
    await setSchedulable(api, node, true, AbortSignal.timeout(30_000)).catch(() => undefined);
    throw error;
  }
}

async function evictAll(api: KubeApi, { node, timeout, signal, status }: DrainOptions): Promise<void> {
  let blocked: string[] = [];
  await until(
    async () => {
      const pods = await podsToMove(api, node, signal);
      if (pods.length === 0) return true;
      const refusals = await Promise.all(pods.map((pod) => evict(api, pod)));
      blocked = refusals.filter((refusal) => refusal !== undefined);
      status(`draining ${node}: ${pods.length} pods left${blocked[0] ? `; ${blocked[0]}` : ""}`);
      return undefined;
    },
    {
      signal,
      timeout,
      every: EVICTION_RETRY_MS,
      onTimeout: () =>
        new StepError({
          step: "drain",
          machine: node,
          cause: blocked.length > 0 ? blocked.join("; ") : `pods were still ending after ${timeout} s`,
          action: "the node is schedulable again; scale up what its budget protects, or give the drain more time",
        }),
    },
  );
}

/** Asks for one eviction; a refusal is an answer (429: a budget forbids it now), said in words. */
async function evict(api: KubeApi, pod: V1Pod): Promise<string | undefined> {
  const { name = "", namespace = "", deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp) return undefined;
  try {
    await api.core.createNamespacedPodEviction({ name, namespace, body: { metadata: { name, namespace } } });
    return undefined;
  } catch (error) {
    return statusOf(error) === 404 ? undefined : `${namespace}/${name}: ${reasonOf(error)}`;
  }
}
