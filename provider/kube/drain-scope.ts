import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { isTolerated } from "./capacity";
import { isEvictable, isTerminating, listPodsOnNode, podUid } from "./pods";
import { retryRequest } from "./retry";

/** The taint of a cordoned node. */
const UNSCHEDULABLE = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export interface NodePods {
  /** Pods that the drain evicts. */
  evictable: V1Pod[];
  /** Pods that stay on the node. */
  staying: V1Pod[];
}

/**
 * Selects the pods of a node that a drain evicts. Pods that tolerate cordons may come back to the node after their
 * eviction, so of those only the ones that were there at the first call are evicted.
 */
export class DrainScope {
  private initial: ReadonlySet<string> | undefined;

  constructor(
    private readonly node: string,
    private readonly podSelector?: string,
  ) {}

  async list(api: KubeApi, signal: AbortSignal): Promise<NodePods> {
    const pods = await listPodsOnNode(api, this.node, signal);
    this.initial ??= new Set(pods.map(podUid));
    const selected = await this.selectedUids(api, signal);
    const isInScope = (pod: V1Pod) =>
      isEvictable(pod) &&
      (selected === undefined || selected.has(podUid(pod))) &&
      (this.initial?.has(podUid(pod)) || !isTolerated(UNSCHEDULABLE, pod.spec?.tolerations ?? []));
    return { evictable: pods.filter(isInScope), staying: pods.filter((pod) => !isInScope(pod)) };
  }

  /** The API server evaluates the selector. */
  private async selectedUids(api: KubeApi, signal: AbortSignal): Promise<Set<string> | undefined> {
    if (this.podSelector === undefined) return undefined;
    const pods = await listPodsOnNode(api, this.node, signal, this.podSelector);
    return new Set(pods.map(podUid));
  }
}

/**
 * Lists the pods of the namespaces in which pods wait for their eviction: the replacements of evicted pods are among
 * them. The API server answers from its cache, because the list may be long and need not be exact.
 */
export async function listWorkloadPods(
  api: KubeApi,
  remaining: readonly V1Pod[],
  signal: AbortSignal,
): Promise<V1Pod[]> {
  const waiting = remaining.filter((pod) => !isTerminating(pod));
  const namespaces = [...new Set(waiting.map(({ metadata }) => metadata?.namespace ?? "default"))];
  const lists = namespaces.map((namespace) =>
    retryRequest(api, "listing pods", signal, () => api.core.listNamespacedPod({ namespace, resourceVersion: "0" })),
  );
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}
