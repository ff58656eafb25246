import { cachedArtifacts, obtainArtifacts } from "../../artifacts";
import { heldMachines, poolsOf, type ClusterConfig } from "../../components/config";
import { controllerArch } from "../../components/machines/machine";
import type { Session } from "./session";

/**
 * Fills the artifact cache for a configuration before the engine locks the stack: the first time this can take a
 * quarter of an hour. The provider then finds everything in the cache; with plain Pulumi it does the same work inside
 * one resource.
 */
export async function fillCache(config: ClusterConfig, { progress, signal }: Session): Promise<void> {
  const { source, runtime, extras } = config;
  const versions = new Set([
    config.kubernetes.version,
    ...poolsOf(config).flatMap((pool) => [
      pool.version ?? config.kubernetes.version,
      ...Object.values(heldMachines(config, pool)),
    ]),
  ]);
  for (const kubernetes of versions) {
    const request = { source, kubernetes, arch: controllerArch(), runtime, extras };
    if (await cachedArtifacts(request)) continue;
    const { reason } = await obtainArtifacts(request, progress, signal);
    progress(`binaries and images of Kubernetes ${kubernetes}: ${reason}`);
  }
}
