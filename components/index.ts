export { Cluster, type ClusterArgs } from "./cluster";
export { DockerMachines, type DockerMachinesArgs } from "./machines/docker";
export { VagrantMachines } from "./machines/vagrant";
export type { Machine } from "./machines/machine";
export type { PoolArgs } from "./pool";
export { Turns, type Members, type Rotation } from "./turns";
export type { ControlPlaneSettings, DrainSettings, NetworkSettings, NodeSettings, Timeouts } from "./settings";
export { Kubeconfig } from "../provider/sdk/local";
