import { ConfiguredCluster } from "kubewright";

// The cluster that Pulumi.<stack>.yaml describes. The argument `configuration` replaces the configuration of the stack.
const cluster = new ConfiguredCluster("cluster");

// The commands of Kubewright read these outputs of the stack.
export const { kubeconfigPath, kubectlPath, artifactSource, stackId } = cluster;
