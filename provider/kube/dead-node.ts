import { messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { ConnectionError, HostKeyError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { forceDeletePod } from "./eviction";
import { isMirrorPod, listPodsOnNode, podName } from "./pods";
import { retryRequest } from "./retry";

export interface MachineState {
  gone: boolean;
  reason: string;
}

/**
 * Checks by SSH whether the machine of a silent kubelet is gone. A silent kubelet alone proves nothing: its containers
 * may still run, and deleting its pods would start second copies of them. The machine counts as gone when its address
 * does not answer, or another machine answers.
 */
export async function checkMachineGone(machine: Remote, instance: string, signal: AbortSignal): Promise<MachineState> {
  const replaced = { gone: true, reason: `${machine.label} is another machine now` };
  try {
    const isSame = (await machine.machineId(signal)) === instance;
    return isSame ? { gone: false, reason: `${machine.label} answers SSH` } : replaced;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HostKeyError) return replaced;
    // A refused login proves that a machine is there.
    return { gone: error instanceof ConnectionError && error.retryable, reason: messageOf(error) };
  }
}

/** Names of what was deleted without the kubelet. */
export interface ForcedRemoval {
  pods: string[];
  volumes: string[];
}

/** Deletes the pods and VolumeAttachments of a dead node, so that its workloads can start on other nodes. */
export async function evacuateDeadNode(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
  status: Progress,
): Promise<ForcedRemoval> {
  const pods = (await listPodsOnNode(api, node, signal)).filter((pod) => !isMirrorPod(pod));
  status(`${node} is dead: deleting its ${pods.length} pods`);
  for (const pod of pods) {
    await retryRequest(api, `deleting the pod ${podName(pod)}`, signal, () => forceDeletePod(api, pod));
  }
  const volumes = await listAttachments(api, node, signal);
  for (const name of volumes) {
    await retryRequest(api, `deleting the VolumeAttachment ${name}`, signal, () =>
      ignoreNotFound(api.storage.deleteVolumeAttachment({ name })),
    );
  }
  return { pods: pods.map(podName), volumes };
}

async function listAttachments(api: KubeApi, node: string, signal: AbortSignal): Promise<string[]> {
  const list = await retryRequest(api, "listing VolumeAttachments", signal, () => api.storage.listVolumeAttachment());
  return list.items.filter(({ spec }) => spec.nodeName === node).flatMap(({ metadata }) => metadata?.name ?? []);
}
