import { optional } from "../../common/optional";
import { repositoryAddress, type ClusterConfig } from "../config";
import type { ClusterArgs } from "../nodes/cluster-arguments";
import type { MachineSet } from "../machines/kind";
import type { RollingUpdate } from "../nodes/rolling-update";
import type { ControlPlaneSettings, RestoreSettings } from "../nodes/settings";
import { assignMachines } from "./assign-machines";
import { backupTimerOf } from "./backup-timer";
import { componentsOf } from "./program-config";

/** Returns the arguments of the cluster that the configuration describes, on these machines. */
export function clusterArgs(
  config: ClusterConfig,
  { machines, loadBalancer }: Pick<MachineSet, "machines" | "loadBalancer">,
  rollingUpdate: RollingUpdate,
): ClusterArgs {
  const { network } = config;
  return {
    version: config.kubernetes.version,
    source: config.source,
    runtime: config.runtime,
    ...assignMachines(config, machines),
    controlPlane: controlPlaneSettings(config, loadBalancer),
    security: config.security,
    network: { ...network, backend: network.flannel.backend },
    timeouts: config.timeouts,
    drain: config.drain,
    rollingUpdate,
    soak: config.kubernetes.soak,
    extras: config.extras,
    ...optional({ restoreFrom: restoreFromOf(config), backup: backupTimerOf(config) }),
    ...(config.bootstrap === "components" ? { components: componentsOf(config) } : {}),
  };
}

/** @param loadBalancer exists if the configuration's endpoint is of that kind */
function controlPlaneSettings(
  { controlPlane: { endpoint, ...settings } }: ClusterConfig,
  loadBalancer: MachineSet["loadBalancer"],
): ControlPlaneSettings {
  const { kind, address } = endpoint;
  const own = kind === "loadBalancer" ? loadBalancer : { kind, ...optional({ address }) };
  return { ...settings, kubeletArgs: settings.extraArgs.kubelet, ...optional({ endpoint: own }) };
}

/** Returns the backup that the configuration names for a cluster whose control planes are lost. */
function restoreFromOf({ backup }: ClusterConfig): RestoreSettings | undefined {
  if (backup?.restoreFrom === undefined) return undefined;
  const { restoreFrom, repository, password, s3, sftp } = backup;
  const address = repositoryAddress(repository, process.cwd());
  return { backup: restoreFrom, repository: { repository: address, password, ...optional({ s3, sftp }) } };
}
