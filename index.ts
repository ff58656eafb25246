import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { RollingUpdate } from "./components/nodes/rolling-update";
import { createMachines } from "./components/program/create-machines";
import { rollingUpdateOf } from "./components/program/assign-machines";
import { clusterArgs } from "./components/program/cluster-args";
import { readConfig } from "./components/program/program-config";
import { Kubeconfig } from "./sdk/local";

const config = readConfig();
const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);

const rollingUpdate = new RollingUpdate(stack, rollingUpdateOf(config));
const { machines, stackId: machinesId } = createMachines(config, { cluster: stack, folder, rollingUpdate });

const cluster = new Cluster(stack, clusterArgs(config, machines, rollingUpdate));
const file = cluster.hasApi
  ? new Kubeconfig("kubeconfig", { path: join(folder, "kubeconfig"), of: cluster.access })
  : undefined;

export const kubeconfigPath = file?.path ?? "";
export const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => kubectl.path);
export const artifactSource = cluster.artifacts.resolvedSource;
export const stackId = machinesId ?? stack;
