import * as pulumi from "@pulumi/pulumi";
import { type Artifacts, type ClusterAccess, kubeconfigOf } from "../sdk/local";
import { type BuiltCluster, buildWithKubeadm } from "./bootstrap";
import { buildByComponents } from "./bootstrap-ladder";
import type { ClusterArgs } from "./nodes/cluster-arguments";
import { planCluster } from "./cluster-plan";
import { LadderCluster } from "./ladder/ladder-cluster";
import { KubeadmCluster } from "./steps/kubeadm";
import type { ClusterPlan } from "./steps/member";

/**
 * A Kubernetes cluster on existing machines. It needs the machines' addresses and SSH logins, and does not depend on
 * what created them.
 *
 * @throws pulumi.RunError at preview, if the machines or network ranges cannot form a cluster.
 * @example
 * const { machines } = new DockerMachines("dev", { names: ["boss", "hand"], keyFolder: "/home/me/keys" });
 * const cluster = new Cluster("dev", {
 *   version: "1.36.3",
 *   controlPlanes: machines.slice(0, 1),
 *   pools: [{ name: "workers", machines: machines.slice(1) }],
 * });
 * export const kubeconfig = cluster.kubeconfig;
 */
export class Cluster extends pulumi.ComponentResource {
  /** Binaries and images of the cluster's version, for the architecture of the first control plane. */
  readonly artifacts: Artifacts;
  private readonly built: BuiltCluster;
  private readonly plan: ClusterPlan;

  constructor(
    private readonly name: string,
    args: ClusterArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:Cluster", name, {}, options);
    const { components } = args;
    this.plan = planCluster(name, args, this, (member) => context.groupsOf(member));
    this.artifacts = this.plan.artifacts(args.version, args.controlPlanes[0]);
    const context = components ? new LadderCluster(this.plan, components) : new KubeadmCluster(this.plan);
    this.built = context instanceof LadderCluster ? buildByComponents(context) : buildWithKubeadm(context);
    const { nodes, afterJoin } = this.built;
    for (const [machine, node] of nodes) this.plan.rollingUpdate?.addNode(machine, afterJoin?.get(machine) ?? node);
    this.registerOutputs({});
  }

  /** Whether the cluster has an API server. False only below the ladder's rung `apiserver`. */
  get hasApi(): boolean {
    return this.built.access !== undefined;
  }

  /**
   * The administrator's access, for a `Kubeconfig`.
   * @throws pulumi.RunError if the cluster has no API server.
   */
  get access(): ClusterAccess {
    if (this.built.access) return this.built.access;
    throw new pulumi.RunError(
      `cluster ${this.name}: rung ${this.plan.components?.rung ?? ""} has no API server, so there is no kubeconfig; ` +
        "check hasApi first",
    );
  }

  /**
   * The administrator's kubeconfig, as a secret. It is read from a control plane. Empty if the cluster has no API
   * server.
   */
  get kubeconfig(): pulumi.Output<string> {
    return this.built.access ? kubeconfigOf(this.built.access) : pulumi.secret("");
  }

  /**
   * The node of a worker, which exists once it is Ready: for `dependsOn` of resources that need the worker.
   * @throws pulumi.RunError if the cluster has no worker with this name.
   */
  joined(machine: string): pulumi.Resource {
    const workers = this.plan.members.filter(({ isControlPlane }) => !isControlPlane).map(({ name }) => name);
    const node = workers.includes(machine) ? this.built.nodes.get(machine) : undefined;
    if (node) return node;
    throw new pulumi.RunError(
      `cluster ${this.name} has no worker named ${machine}; its workers are ${workers.join(", ") || "none"}`,
    );
  }
}
