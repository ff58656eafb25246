import { parsePodManifest, proveStaticPod } from "../host/prove-static-pod";
import { NO_PODS, readPodState, type PodState } from "../host/static-pods";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { COMPONENTS, type Component, readManifestTexts } from "./manifest-texts";

/** Reads the containers of the control plane's static pods; none on a worker. */
export async function readAllPods(
  machine: Remote,
  node: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<Component, PodState>> {
  const manifests = await readManifestTexts(machine, signal);
  const states = COMPONENTS.filter((name) => manifests.has(name)).map(
    async (name) => [name, await readPodState(machine, `${name}-${node}`, signal)] as const,
  );
  return new Map(await Promise.all(states));
}

/**
 * Waits until the static pods of before are healthy. A kubelet of another minor version restarts their containers when
 * it starts for the first time.
 */
export async function proveSamePods(
  context: Context,
  machine: Remote,
  node: string,
  before: ReadonlyMap<Component, PodState>,
): Promise<void> {
  if (before.size === 0) return;
  const manifests = await readManifestTexts(machine, context.signal);
  for (const [name, manifest] of manifests)
    await proveStaticPod(context, machine, {
      name,
      pod: `${name}-${node}`,
      ...parsePodManifest(manifest),
      before: before.get(name) ?? NO_PODS,
      isExpected: () => true,
    });
}
