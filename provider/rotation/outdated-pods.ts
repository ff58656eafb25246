import type { V1ConfigMap, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { ignoreNotFound } from "../kube/errors";
import { controllerOf, isFinished, isMirrorPod, isPodReady, isTerminating, podName, workloadOf } from "../kube/pods";
import { retryRequest } from "../kube/retry";
import { readRootAuthorities, ROOT_CA } from "./published-authorities";

/** Namespaces of kube-proxy, CoreDNS and flannel, whose pods the rotation replaces. */
const SYSTEM_NAMESPACES = ["kube-system", "kube-flannel"];
const SECONDS = 600;
/** Milliseconds for which a pod's token is valid, and some more. Kubelets replace it before. */
export const TOKEN_MS = 65 * 60_000;

/**
 * Returns the pods that have started before the CAs were last published in their namespace: most clients of the API
 * read them only when they start. Both times are the API server's.
 */
export function outdatedPods(pods: readonly V1Pod[], configMaps: readonly V1ConfigMap[]): V1Pod[] {
  const published = new Map(configMaps.map((one) => [one.metadata?.namespace ?? "", publishedAt(one)]));
  return pods.filter((pod) => {
    const time = published.get(pod.metadata?.namespace ?? "") ?? 0;
    return readsAuthorities(pod) && timeOf(pod.metadata?.creationTimestamp) <= time;
  });
}

function publishedAt({ metadata }: V1ConfigMap): number {
  const times = (metadata?.managedFields ?? []).map(({ time }) => timeOf(time));
  return Math.max(timeOf(metadata?.creationTimestamp), ...times);
}

function timeOf(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime();
}

/** Whether a running pod mounts the CAs of its service account. */
function readsAuthorities(pod: V1Pod): boolean {
  if (isMirrorPod(pod) || isFinished(pod)) return false;
  const sources = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return sources.some(({ configMap }) => configMap?.name === ROOT_CA);
}

/** Returns the pods whose token may still be signed by the previous key, an hour after the change at the latest. */
export function podsWithOldToken(pods: readonly V1Pod[], signedSince: number): V1Pod[] {
  return pods.filter((pod) => hasToken(pod) && timeOf(pod.metadata?.creationTimestamp) <= signedSince);
}

function hasToken(pod: V1Pod): boolean {
  if (isMirrorPod(pod) || isFinished(pod)) return false;
  const sources = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined);
}

export function isSystemPod({ metadata }: V1Pod): boolean {
  return SYSTEM_NAMESPACES.includes(metadata?.namespace ?? "");
}

/** Returns the workloads of users' pods: `shop/ReplicaSet/web-5d9`. */
export function workloadsOf(pods: readonly V1Pod[]): string[] {
  const names = pods.map((pod) => {
    const controller = controllerOf(pod);
    return controller ? `${pod.metadata?.namespace}/${controller.kind}/${controller.name}` : podName(pod);
  });
  return [...new Set(names)].sort();
}

export async function readOutdatedPods(api: KubeApi, signal: AbortSignal): Promise<V1Pod[]> {
  return outdatedPods(await readPods(api, signal), await readRootAuthorities(api, signal));
}

export async function readPods(api: KubeApi, signal: AbortSignal): Promise<V1Pod[]> {
  const { items } = await retryRequest(api, "listing pods", signal, () => api.core.listPodForAllNamespaces());
  return items;
}

/** Returns the pods to delete now: one of each workload, and only while all its other pods are Ready. */
export function podsToReplace(outdated: readonly V1Pod[], all: readonly V1Pod[], counts: Counts): V1Pod[] {
  return [...byWorkload(outdated)].flatMap(([key, pods]) => {
    const siblings = all.filter((pod) => workloadOf(pod) === key && !isFinished(pod));
    const isComplete = siblings.length >= (counts.get(key) ?? 0);
    const isCalm = siblings.every((pod) => !isTerminating(pod) && isPodReady(pod));
    return isComplete && isCalm ? pods.slice(0, 1) : [];
  });
}

/** Number of pods that each workload had at the beginning. */
type Counts = ReadonlyMap<string, number>;

function byWorkload(pods: readonly V1Pod[]): Map<string, V1Pod[]> {
  const groups = new Map<string, V1Pod[]>();
  for (const pod of pods) groups.set(workloadOf(pod), [...(groups.get(workloadOf(pod)) ?? []), pod]);
  return groups;
}

/** Counts the pods of each workload that run. */
export function countPods(pods: readonly V1Pod[]): Counts {
  const running = pods.filter((pod) => !isFinished(pod) && !isTerminating(pod));
  return new Map([...byWorkload(running)].map(([key, some]) => [key, some.length]));
}

/**
 * Replaces the pods of kube-proxy, CoreDNS and flannel that have started before the CAs were published, one of each
 * after the other. After an interruption it continues with those that are left.
 */
export async function replaceSystemPods(
  api: KubeApi,
  { signal, status }: { signal: AbortSignal; status: Progress },
): Promise<void> {
  const counts = countPods((await readPods(api, signal)).filter(isSystemPod));
  const replaced = new Set<string>();
  let waiting: string[] = [];
  await until(
    async () => {
      const all = (await readPods(api, signal)).filter(isSystemPod);
      const outdated = outdatedPods(all, await readRootAuthorities(api, signal)).filter(controllerOf);
      for (const pod of outdated) replaced.add(workloadOf(pod));
      const concerned = all.filter((pod) => replaced.has(workloadOf(pod)) && !isFinished(pod));
      waiting = [...outdated, ...concerned.filter((pod) => !isPodReady(pod))].map(podName);
      if (waiting.length === 0 && hasCounts(concerned, counts, replaced)) return true;
      status(`replacing the pods of the cluster: ${new Set(waiting).size} left`);
      for (const pod of podsToReplace(outdated, all, counts)) await deletePod(api, pod, signal);
      return undefined;
    },
    {
      ...{ signal, timeout: SECONDS, patience: api.patience, every: 1_000 },
      onTimeout: (seconds) =>
        new StepError({
          step: "replacing the pods of the cluster",
          cause: `${waiting.join(", ")} after ${seconds} s`,
          action: "see `kubectl get pods -A -o wide`, then run the command again",
        }),
    },
  );
}

function hasCounts(pods: readonly V1Pod[], counts: Counts, workloads: ReadonlySet<string>): boolean {
  const now = countPods(pods);
  return [...workloads].every((key) => (now.get(key) ?? 0) >= (counts.get(key) ?? 0));
}

async function deletePod(api: KubeApi, pod: V1Pod, signal: AbortSignal): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  await retryRequest(api, `deleting the pod ${podName(pod)}`, signal, () =>
    ignoreNotFound(api.core.deleteNamespacedPod({ namespace, name })),
  );
}
