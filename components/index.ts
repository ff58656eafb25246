/** The public API of the library. */
export { Cluster } from "./cluster";
export type { ClusterArgs } from "./nodes/cluster-arguments";
export { ConfiguredCluster, type ConfiguredClusterArgs } from "./configured-cluster";
export { DockerMachines, type DockerMachinesArgs, type DockerSize } from "./machines/docker";
export { AwsMachines } from "./machines/clouds/aws";
export { DigitalOceanMachines } from "./machines/clouds/digitalocean";
export { HetznerMachines } from "./machines/clouds/hetzner";
export type { CloudMachinesArgs } from "./machines/clouds/cloud-machines";
export { giveSdk } from "./machines/clouds/sdk";
export type { ApiLoadBalancer } from "./machines/api-load-balancer";
export type { MachineArgs, MachinesArgs, RollingArgs } from "./machines/kind";
export { VagrantMachines } from "./machines/vagrant";
export { commandConnection, type CommandConnection, type JumpHost, type Machine } from "./machines/machine";
export type { NodeCommand, PoolCommands } from "./nodes/commands";
export type { PoolArgs } from "./nodes/pool";
export {
  RollingUpdate,
  type RollingPool,
  type RollingUpdateArgs,
  /** @deprecated Use `RollingUpdate`. */
  RollingUpdate as Turns,
} from "./nodes/rolling-update";
export type {
  ComponentsSettings,
  ControlPlaneSettings,
  DrainSettings,
  NetworkSettings,
  NodeSettings,
  RestoreSettings,
  Timeouts,
} from "./nodes/settings";
export { Kubeconfig } from "../sdk/local";
