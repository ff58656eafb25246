import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { RollingUpdate } from "./components/nodes/rolling-update";
import { createMachines } from "./components/program/create-machines";
import { assignMachines, rollingUpdateOf } from "./components/program/assign-machines";
import { componentsOf, readConfig } from "./components/program/program-config";
import { Kubeconfig } from "./sdk/local";

const config = readConfig();
const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);
const { network, controlPlane } = config;

const rollingUpdate = new RollingUpdate(stack, rollingUpdateOf(config));
const { machines, stackId: machinesId } = createMachines(config, { cluster: stack, folder, rollingUpdate });

const cluster = new Cluster(stack, {
  version: config.kubernetes.version,
  source: config.source,
  runtime: config.runtime,
  ...assignMachines(config, machines),
  controlPlane: { ...controlPlane, kubeletArgs: controlPlane.extraArgs.kubelet },
  network: { ...network, backend: network.flannel.backend },
  timeouts: config.timeouts,
  drain: config.drain,
  rollingUpdate,
  extras: config.extras,
  ...(config.bootstrap === "components" ? { components: componentsOf(config) } : {}),
});
const file = cluster.hasApi
  ? new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), of: cluster.access })
  : undefined;

export const kubeconfigPath = file?.path ?? "";
export const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => kubectl.path);
export const artifactSource = cluster.artifacts.resolvedSource;
export const stackId = machinesId ?? stack;
