import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { setTimeout as sleep } from "node:timers/promises";
import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import { pluralize } from "../../common/pluralize";
import type { Progress } from "../../common/progress";
import { ConnectionError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import type { KubeApi } from "./api";
import { requireNode } from "./cordon";
import { ignoreNotFound } from "./errors";
import { forceDeletePod } from "./eviction";
import { OUT_OF_SERVICE, isOutOfService } from "./out-of-service";
import { controllerOf, isMirrorPod, listPodsOnNode, podName } from "./pods";
import { retryRequest } from "./retry";
import { listAttachments } from "./volumes";

/** Seconds in which the controller manager must have cleared a node: it looks for such nodes every 20 s. */
const CLEAR_SECONDS = 60;
const POLL_MS = 1_000;
/** A check by SSH has this time at least, also near the deadline. */
const SHORTEST_CHECK_MS = 5_000;

export interface MachineState {
  /** Whether it is proved that nothing runs on the machine any more. */
  gone: boolean;
  reason: string;
}

/**
 * Checks by SSH whether the machine of a silent kubelet is gone. Only a rebuilt machine proves that: its machine-id has
 * changed. A machine that does not answer may still run its containers, for example behind a broken network, and
 * deleting its pods would start second copies of them.
 */
export async function checkMachineGone(
  machine: Remote,
  instance: string,
  { signal, deadline }: CheckLimits,
): Promise<MachineState> {
  const remaining = Math.max(deadline - Date.now(), SHORTEST_CHECK_MS);
  const limited = timeoutSignal(remaining, signal);
  try {
    const isSame = (await machine.machineId(limited)) === instance;
    if (isSame) return { gone: false, reason: `${machine.label} answers SSH` };
    return { gone: true, reason: `${machine.label} was rebuilt: its machine-id has changed` };
  } catch (error) {
    signal.throwIfAborted();
    const isSilent = error instanceof ConnectionError && error.retryable;
    const cause = limited.aborted ? `no answer in ${Math.round(remaining / 1000)} s` : isSilent && error.failure.cause;
    const reason = cause
      ? `${machine.label} does not answer SSH, which does not prove that it is off (${cause})`
      : messageOf(error);
    return { gone: false, reason };
  }
}

export interface CheckLimits {
  signal: AbortSignal;
  /** When a machine that does not answer counts as silent, as in `Date.now()`. */
  deadline: number;
}

/** Names of what was deleted without the kubelet. */
export interface ForcedRemoval {
  pods: string[];
  volumes: string[];
}

/**
 * Clears a node whose machine is off, so that its workloads can start on other nodes. Marks the node as out of service:
 * the controller manager then deletes its pods and detaches its volumes. Where no controller manager does, deletes them
 * directly. So it does with pods of DaemonSets: most tolerate every taint, as those of kube-proxy do, and stay.
 */
export async function evacuateDeadNode(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
  status: Progress,
): Promise<ForcedRemoval> {
  const { pods, volumes } = await listRemaining(api, node, signal);
  const removal = { pods: pods.map(podName), volumes };
  status(`${node} is out of service: deleting its ${pluralize(removal.pods.length, "pod")}`);
  await addOutOfServiceTaint(api, node, signal);
  const deadline = Date.now() + CLEAR_SECONDS * 1000 * api.patience;
  while (Date.now() < deadline) {
    const left = await listRemaining(api, node, signal);
    if (left.volumes.length === 0 && left.pods.every(isOfDaemonSet)) break;
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  await deleteRemaining(api, node, signal);
  return removal;
}

async function addOutOfServiceTaint(api: KubeApi, name: string, signal: AbortSignal): Promise<void> {
  const { spec: { taints = [] } = {} } = await requireNode(api, name, signal);
  const body = { spec: { taints: [...taints.filter((taint) => !isOutOfService(taint)), OUT_OF_SERVICE] } };
  await retryRequest(api, "marking the node as out of service", signal, () =>
    api.core.patchNode({ name, body }, api.mergePatch),
  );
}

function isOfDaemonSet(pod: V1Pod): boolean {
  return controllerOf(pod)?.kind === "DaemonSet";
}

/** Returns the pods, except for static ones, and the names of the attachments of volumes. */
async function listRemaining(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
): Promise<{ pods: V1Pod[]; volumes: string[] }> {
  const [pods, attachments] = await Promise.all([
    listPodsOnNode(api, node, signal),
    listAttachments(api, node, signal),
  ]);
  return {
    pods: pods.filter((pod) => !isMirrorPod(pod)),
    volumes: attachments.flatMap(({ metadata }) => metadata?.name ?? []),
  };
}

async function deleteRemaining(api: KubeApi, node: string, signal: AbortSignal): Promise<void> {
  for (const pod of await listPodsOnNode(api, node, signal)) {
    if (isMirrorPod(pod)) continue;
    await retryRequest(api, `deleting the pod ${podName(pod)}`, signal, () => forceDeletePod(api, pod));
  }
  for (const { metadata } of await listAttachments(api, node, signal)) {
    const name = metadata?.name ?? "";
    await retryRequest(api, `deleting the VolumeAttachment ${name}`, signal, () =>
      ignoreNotFound(api.storage.deleteVolumeAttachment({ name })),
    );
  }
}
