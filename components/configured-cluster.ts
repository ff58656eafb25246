import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { localPath } from "../common/portable-path";
import { Kubeconfig } from "../sdk/local";
import { Cluster } from "./cluster";
import { type ClusterConfig, poolsOf } from "./config";
import { RollingUpdate } from "./nodes/rolling-update";
import { rollingUpdateOf } from "./program/assign-machines";
import { clusterArgs } from "./program/cluster-args";
import { createMachines } from "./program/create-machines";
import { configOf, readConfig } from "./program/program-config";
import { warnOfUpgrade } from "./program/upgrade-notice";
import { assertCommandPackage } from "./steps/commands";

/** What the project's program exports. The commands read it from the stack. */
export interface ClusterOutputs {
  /** Path of the kubeconfig, relative to the folder of the project; empty if the cluster has no API server. */
  kubeconfigPath: pulumi.Output<string>;
  /** Path of a kubectl of the cluster's version, in the cache of the computer that ran Pulumi last. */
  kubectlPath: pulumi.Output<string>;
  /** Source of binaries and images that `auto` has resolved to. */
  artifactSource: pulumi.Output<string>;
  /** Label of what was created outside Pulumi's state, with which `down` finds leftovers. */
  stackId: pulumi.Output<string>;
}

export interface ClusterPlace {
  /** Name of the cluster. */
  name: string;
  /** Folder of the cluster's keys and kubeconfig. */
  folder: string;
  /** Name of the kubeconfig's resource. */
  kubeconfig: string;
}

/** Creates the machines of a configuration and the cluster on them. */
export function createFromConfig(
  config: ClusterConfig,
  { name, folder, kubeconfig }: ClusterPlace,
  options: pulumi.CustomResourceOptions = {},
): ClusterOutputs {
  assertCommandPackage(poolsOf(config));
  warnOfUpgrade(config);
  const rollingUpdate = new RollingUpdate(name, rollingUpdateOf(config), options);
  const machineSet = createMachines(config, { cluster: name, folder, rollingUpdate }, options);
  const cluster = new Cluster(name, clusterArgs(config, machineSet, rollingUpdate), options);
  const file = cluster.hasApi
    ? new Kubeconfig(kubeconfig, { path: join(folder, "kubeconfig"), of: cluster.access }, options)
    : undefined;
  return {
    kubeconfigPath: pulumi.output(file?.path ?? ""),
    kubectlPath: cluster.artifacts.binaries.apply(({ kubectl }) => localPath(kubectl.path)),
    artifactSource: cluster.artifacts.resolvedSource,
    stackId: pulumi.output(machineSet.stackId ?? name),
  };
}

/** Arguments of a `ConfiguredCluster`. */
export interface ConfiguredClusterArgs {
  /**
   * Absolute path of the folder of the cluster's keys and kubeconfig, on the computer that runs Pulumi.
   * @default .kubewright/<stack> in the folder of the project
   */
  folder?: string;
  /**
   * Name of the cluster.
   * @default the name of the stack
   */
  cluster?: string;
  /**
   * The configuration, with the sections of docs/configuration.md.
   * @default the configuration of the stack
   */
  configuration?: Record<string, unknown>;
}

/**
 * The machines and the cluster of a configuration: what `kubewright up` creates, as a component for programs in every
 * language.
 *
 * @throws pulumi.RunError with all problems of the configuration
 * @example
 * export const { kubeconfigPath } = new ConfiguredCluster("cluster", { configuration: { workers: { count: 3 } } });
 */
export class ConfiguredCluster extends pulumi.ComponentResource implements ClusterOutputs {
  readonly kubeconfigPath: pulumi.Output<string>;
  readonly kubectlPath: pulumi.Output<string>;
  readonly artifactSource: pulumi.Output<string>;
  readonly stackId: pulumi.Output<string>;

  constructor(name: string, args: ConfiguredClusterArgs = {}, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:ConfiguredCluster", name, {}, options);
    const stack = pulumi.getStack();
    const { folder = join(process.cwd(), ".kubewright", stack), cluster = stack, configuration } = args;
    const config = configuration ? configOf(textsOf(configuration)) : readConfig();
    const outputs = createFromConfig(
      config,
      { name: cluster, folder, kubeconfig: `${cluster}-kubeconfig` },
      { parent: this },
    );
    this.kubeconfigPath = outputs.kubeconfigPath;
    this.kubectlPath = outputs.kubectlPath;
    this.artifactSource = outputs.artifactSource;
    this.stackId = outputs.stackId;
    this.registerOutputs({ ...outputs });
  }
}

/** Returns the sections as Pulumi stores them in a stack's configuration. */
function textsOf(configuration: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, JSON.stringify(value)]));
}
