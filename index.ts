import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { DockerMachines } from "./components/docker-machines";
import { readConfig } from "./components/program-config";
import { sshMachines } from "./components/ssh-machines";
import { Kubeconfig } from "./provider/sdk/local";

const config = readConfig();
const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);
const { network, controlPlane, workers } = config;

const numbered = (word: string, count: number) => Array.from({ length: count }, (_, index) => `${word}-${index + 1}`);
const docker =
  config.machines.kind === "docker"
    ? new DockerMachines(stack, {
        names: [...numbered("control-plane", controlPlane.count), ...numbered("worker", workers.count)],
        keyFolder: folder,
        avoid: [network.podCidr, network.serviceCidr],
        ...config.machines.docker,
      })
    : undefined;
const hosts = config.machines.kind === "ssh" ? config.machines.ssh.hosts : [];

const cluster = new Cluster(stack, {
  version: config.kubernetes.version,
  source: config.source,
  controlPlanes: docker?.machines.slice(0, controlPlane.count) ?? sshMachines(hosts, "control-plane"),
  workers: docker?.machines.slice(controlPlane.count) ?? sshMachines(hosts, "worker"),
  controlPlane: { ...controlPlane, kubeletArgs: controlPlane.extraArgs.kubelet },
  worker: { ...workers, kubeletArgs: workers.extraArgs.kubelet },
  network: { ...network, backend: network.flannel.backend },
  timeouts: config.timeouts,
  extras: config.extras,
});
const file = new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), content: cluster.kubeconfig });

export const kubeconfigPath = file.path;
export const kubeconfig = cluster.kubeconfig;
export const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => kubectl.path);
export const artifactSource = cluster.artifacts.resolvedSource;
export const stackId = docker?.stackId ?? stack;
