export { Cluster, type ClusterArgs } from "./cluster";
export { DockerMachines, type DockerMachinesArgs } from "./docker-machines";
export type { Machine } from "./machine";
export type { ControlPlaneSettings, NetworkSettings, NodeSettings, Timeouts } from "./settings";
export { Kubeconfig } from "../provider/sdk/local";
