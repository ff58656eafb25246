import { optional } from "../../common/optional";
import { repositoryAddress, type ClusterConfig } from "../config";
import type { ClusterArgs } from "../nodes/cluster-arguments";
import type { Machine } from "../machines/machine";
import type { RollingUpdate } from "../nodes/rolling-update";
import type { RestoreSettings } from "../nodes/settings";
import { assignMachines } from "./assign-machines";
import { componentsOf } from "./program-config";

/** Returns the arguments of the cluster that the configuration describes, on these machines. */
export function clusterArgs(
  config: ClusterConfig,
  machines: readonly Machine[],
  rollingUpdate: RollingUpdate,
): ClusterArgs {
  const { controlPlane, network } = config;
  return {
    version: config.kubernetes.version,
    source: config.source,
    runtime: config.runtime,
    ...assignMachines(config, machines),
    controlPlane: { ...controlPlane, kubeletArgs: controlPlane.extraArgs.kubelet },
    security: config.security,
    network: { ...network, backend: network.flannel.backend },
    timeouts: config.timeouts,
    drain: config.drain,
    rollingUpdate,
    soak: config.kubernetes.soak,
    extras: config.extras,
    ...optional({ restoreFrom: restoreFromOf(config) }),
    ...(config.bootstrap === "components" ? { components: componentsOf(config) } : {}),
  };
}

/** Returns the backup that the configuration names for a cluster whose control planes are lost. */
function restoreFromOf({ backup }: ClusterConfig): RestoreSettings | undefined {
  if (backup?.restoreFrom === undefined) return undefined;
  const { restoreFrom, repository, password, s3, sftp } = backup;
  const address = repositoryAddress(repository, process.cwd());
  return { backup: restoreFrom, repository: { repository: address, password, ...optional({ s3, sftp }) } };
}
