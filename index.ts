import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { makeMachines } from "./components/machines";
import { membersOf, turnsOf } from "./components/pool";
import { componentsOf, readConfig } from "./components/config/program-config";
import { Turns } from "./components/rolling-update";
import { Kubeconfig } from "./sdk/local";

const config = readConfig();
const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);
const { network, controlPlane } = config;

const turns = new Turns(stack, turnsOf(config));
const made = makeMachines(config, { cluster: stack, folder, turns });

const cluster = new Cluster(stack, {
  version: config.kubernetes.version,
  source: config.source,
  runtime: config.runtime,
  ...membersOf(config, made.machines),
  controlPlane: { ...controlPlane, kubeletArgs: controlPlane.extraArgs.kubelet },
  network: { ...network, backend: network.flannel.backend },
  timeouts: config.timeouts,
  drain: config.drain,
  turns,
  extras: config.extras,
  ...(config.bootstrap === "components" ? { components: componentsOf(config) } : {}),
});
const file = cluster.hasApi
  ? new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), of: cluster.access })
  : undefined;

export const kubeconfigPath = file?.path ?? "";
export const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => kubectl.path);
export const artifactSource = cluster.artifacts.resolvedSource;
export const stackId = made.stackId ?? stack;
