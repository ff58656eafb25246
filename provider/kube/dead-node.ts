import { messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import type { Connection } from "../ssh/connection";
import { ConnectionError, HostKeyError } from "../ssh/errors";
import { remote } from "../ssh/pool";
import type { KubeApi } from "./api";
import { orMissing } from "./errors";
import { forceOff } from "./eviction";
import { isMirror, labelOf, podsOn } from "./pods";
import { patiently } from "./retry";

export interface Proof {
  gone: boolean;
  why: string;
}

/**
 * Is the machine gone, beyond that its kubelet is silent? A kubelet may be silent on a machine whose containers go on: forcing its pods
 * off then starts second copies beside the first. So one try of SSH decides: nobody answers, or another machine does.
 */
export async function machineIsGone(connection: Connection, instance: string, signal: AbortSignal): Promise<Proof> {
  const machine = remote(connection);
  try {
    const found = await machine.machineId(signal);
    return found === instance
      ? { gone: false, why: `${machine.label} answers SSH` }
      : { gone: true, why: `${machine.label} is another machine now` };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HostKeyError) return { gone: true, why: `${machine.label} is another machine now` };
    // A refused login says that the machine is there; an address at which nobody answers says that it is not.
    const silent = error instanceof ConnectionError && error.retryable;
    return { gone: silent, why: messageOf(error) };
  }
}

/** What was forced, by name. */
export interface Forced {
  pods: string[];
  volumes: string[];
}

/** Takes everything off a node that will confirm nothing any more: pods at once, and its volumes, so that others may have them. */
export async function clearDeadNode(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
  status: Progress,
): Promise<Forced> {
  const pods = (await podsOn(api, node, signal)).filter((pod) => !isMirror(pod));
  status(`${node} is dead: forcing ${pods.length} pods off`);
  for (const pod of pods) await patiently(`forcing ${labelOf(pod)} off`, signal, () => forceOff(api, pod));
  const volumes = await attachmentsOf(api, node, signal);
  for (const name of volumes)
    await patiently(`detaching ${name}`, signal, () => orMissing(api.storage.deleteVolumeAttachment({ name })));
  return { pods: pods.map(labelOf), volumes };
}

async function attachmentsOf(api: KubeApi, node: string, signal: AbortSignal): Promise<string[]> {
  const list = await patiently("listing volume attachments", signal, () => api.storage.listVolumeAttachment());
  return list.items.filter(({ spec }) => spec.nodeName === node).flatMap(({ metadata }) => metadata?.name ?? []);
}
