export { Cluster, type ClusterArgs } from "./cluster";
export { DockerMachines, type DockerMachinesArgs } from "./docker-machines";
export type { Machine } from "./machine";
export type { PoolArgs } from "./pool";
export { Turns, type Members, type Rotation } from "./turns";
export type { ControlPlaneSettings, DrainSettings, NetworkSettings, NodeSettings, Timeouts } from "./settings";
export { Kubeconfig } from "../provider/sdk/local";
