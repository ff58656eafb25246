import { cachedArtifacts, obtainArtifacts } from "../../artifacts";
import { poolsOf, type ClusterConfig } from "../../components/config";
import { controllerArch } from "../../components/machines/machine";
import type { Session } from "./operate";

/**
 * The long work first, while no engine holds the stack: the first time this may build for a quarter of an hour. Pulumi then finds
 * everything in the cache; without us it would do the same, inside one resource.
 */
export async function fillCache(config: ClusterConfig, { progress, signal }: Session): Promise<void> {
  const { source, runtime, extras } = config;
  const versions = new Set([
    config.kubernetes.version,
    ...poolsOf(config).map(({ version }) => version ?? config.kubernetes.version),
  ]);
  for (const kubernetes of versions) {
    const request = { source, kubernetes, arch: controllerArch(), runtime, extras };
    if (await cachedArtifacts(request)) continue;
    const set = await obtainArtifacts(request, progress, signal);
    progress(`binaries and images of Kubernetes ${kubernetes}: ${set.reason}`);
  }
}
