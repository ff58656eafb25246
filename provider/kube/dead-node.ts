import { messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { ConnectionError, HostKeyError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { forceDeletePod } from "./eviction";
import { isMirrorPod, podName, listPodsOnNode } from "./pods";
import { retryRequest } from "./retry";

export interface MachineState {
  gone: boolean;
  reason: string;
}

/**
 * Is the machine gone, beyond that its kubelet is silent? A kubelet may be silent on a machine whose containers go on: forcing its pods
 * off then starts second copies beside the first. So one try of SSH decides: nobody answers, or another machine does.
 */
export async function checkMachineGone(machine: Remote, instance: string, signal: AbortSignal): Promise<MachineState> {
  try {
    const found = await machine.machineId(signal);
    return found === instance
      ? { gone: false, reason: `${machine.label} answers SSH` }
      : { gone: true, reason: `${machine.label} is another machine now` };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HostKeyError) return { gone: true, reason: `${machine.label} is another machine now` };
    // A refused login says that the machine is there; an address at which nobody answers says that it is not.
    const silent = error instanceof ConnectionError && error.retryable;
    return { gone: silent, reason: messageOf(error) };
  }
}

/** What was forced, by name. */
export interface ForcedRemoval {
  pods: string[];
  volumes: string[];
}

/** Takes everything off a node that will confirm nothing any more: pods at once, and its volumes, so that others may have them. */
export async function evacuateDeadNode(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
  status: Progress,
): Promise<ForcedRemoval> {
  const pods = (await listPodsOnNode(api, node, signal)).filter((pod) => !isMirrorPod(pod));
  status(`${node} is dead: forcing ${pods.length} pods off`);
  for (const pod of pods)
    await retryRequest(api, `forcing ${podName(pod)} off`, signal, () => forceDeletePod(api, pod));
  const volumes = await listAttachments(api, node, signal);
  for (const name of volumes)
    await retryRequest(api, `detaching ${name}`, signal, () =>
      ignoreNotFound(api.storage.deleteVolumeAttachment({ name })),
    );
  return { pods: pods.map(podName), volumes };
}

async function listAttachments(api: KubeApi, node: string, signal: AbortSignal): Promise<string[]> {
  const list = await retryRequest(api, "listing volume attachments", signal, () => api.storage.listVolumeAttachment());
  return list.items.filter(({ spec }) => spec.nodeName === node).flatMap(({ metadata }) => metadata?.name ?? []);
}
