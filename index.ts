import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { DockerMachines } from "./components/docker-machines";
import { membersOf, namesToMake, turnsOf } from "./components/pool";
import { readConfig } from "./components/program-config";
import { Turns } from "./components/turns";
import { Kubeconfig } from "./provider/sdk/local";

const config = readConfig();
const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);
const { network, controlPlane } = config;

const turns = new Turns(stack, turnsOf(config));
const docker =
  config.machines.kind === "docker"
    ? new DockerMachines(stack, {
        names: namesToMake(config),
        turns,
        keyFolder: folder,
        avoid: [network.podCidr, network.serviceCidr],
        ...config.machines.docker,
      })
    : undefined;

const cluster = new Cluster(stack, {
  version: config.kubernetes.version,
  source: config.source,
  ...membersOf(config, docker?.machines),
  controlPlane: { ...controlPlane, kubeletArgs: controlPlane.extraArgs.kubelet },
  network: { ...network, backend: network.flannel.backend },
  timeouts: config.timeouts,
  drain: config.drain,
  turns,
  extras: config.extras,
});
const file = new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), content: cluster.kubeconfig });

export const kubeconfigPath = file.path;
export const kubeconfig = cluster.kubeconfig;
export const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => kubectl.path);
export const artifactSource = cluster.artifacts.resolvedSource;
export const stackId = docker?.stackId ?? stack;
