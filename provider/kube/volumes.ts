import type { V1Pod, V1VolumeAttachment } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { retryRequest } from "./retry";

/** Lists the VolumeAttachments of a node. */
export async function listAttachments(api: KubeApi, node: string, signal: AbortSignal): Promise<V1VolumeAttachment[]> {
  const list = await retryRequest(api, "listing VolumeAttachments", signal, () => api.storage.listVolumeAttachment());
  return list.items.filter(({ spec }) => spec.nodeName === node);
}

/** Lists the persistent volumes that are attached to a node, except those that the given pods mount. */
export async function listAttachedVolumes(
  api: KubeApi,
  node: string,
  exceptOf: readonly V1Pod[],
  signal: AbortSignal,
): Promise<string[]> {
  const attachments = await listAttachments(api, node, signal);
  if (attachments.length === 0) return [];
  const mounted = new Set((await Promise.all(exceptOf.map((pod) => listVolumes(api, pod, signal)))).flat());
  return attachments
    .map(({ metadata, spec }) => spec.source.persistentVolumeName ?? metadata?.name ?? "")
    .filter((volume) => !mounted.has(volume));
}

/** Lists the persistent volumes that a pod mounts. */
async function listVolumes(api: KubeApi, { metadata, spec }: V1Pod, signal: AbortSignal): Promise<string[]> {
  const namespace = metadata?.namespace ?? "default";
  const claims = (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${metadata?.name}-${name}`] : [];
  });
  const read = async (name: string) => {
    const claim = await retryRequest(api, `reading the PersistentVolumeClaim ${name}`, signal, () =>
      ignoreNotFound(api.core.readNamespacedPersistentVolumeClaim({ name, namespace })),
    );
    return claim?.spec?.volumeName ?? [];
  };
  return (await Promise.all(claims.map(read))).flat();
}
