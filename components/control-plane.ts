import * as pulumi from "@pulumi/pulumi";
import { KubeadmInit } from "../sdk/kubernetes";
import { initDocuments } from "../render/kubeadm";
import { type Machine, nodeAddress } from "./machines/machine";
import { type ClusterHandle, type MemberArgs, addTool, join, kubeadmNode, node, setUp } from "./cluster-member";
import type { NodeSetup } from "./node-setup";
import { PodNetwork } from "./pod-network";
import type { ControlPlaneSettings } from "./settings";

export interface ControlPlaneArgs {
  kubernetesVersion: string;
  clusterName: string;
  /** One member per machine; the first runs `kubeadm init`, the others join it one after the other. */
  members: (MemberArgs & { settings: ControlPlaneSettings })[];
}

/** The machines that run etcd, the API server, the scheduler and the controller manager. */
export class ControlPlane extends pulumi.ComponentResource {
  readonly init: KubeadmInit;
  readonly cluster: ClusterHandle;

  constructor(name: string, args: ControlPlaneArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:ControlPlane", name, {}, options);
    const [first, ...others] = args.members;
    if (!first) throw new Error("controlPlanes: a cluster has at least one; give it a machine");
    const endpoint = first.settings.endpoint ?? pulumi.interpolate`${nodeAddress(first.machine)}:6443`;
    const setup = setUp(first.machine.name, "control-plane", first, this);
    this.init = this.initialise(args, first, setup, endpoint);
    const controlPlanes = args.members.map(({ connection }) => connection);
    const { artifacts, network } = first;
    const known = { origin: this.init, caCertHash: this.init.caCertHash, endpoint, controlPlanes };
    const podNetwork = new PodNetwork(`${name}-pod-network`, { ...known, artifacts, network }, { parent: this });
    this.cluster = { ...known, podNetwork: podNetwork.manifests };
    const ready = node(first, this.cluster, this.init, setup.images, this);
    addTool(first, "kubectl", ready, this);

    // etcd takes one new member at a time.
    let last: pulumi.Resource = this.init;
    for (const member of others) {
      const next = setUp(member.machine.name, "control-plane", member, this);
      const joined = join(
        member,
        "control-plane",
        { ...this.cluster, controlPlanes: [first.connection] },
        [...next.ready, last],
        this,
      );
      last = node(member, this.cluster, joined, next.images, this);
    }
    this.registerOutputs({});
  }

  private initialise(
    args: ControlPlaneArgs,
    first: ControlPlaneArgs["members"][number],
    setup: NodeSetup,
    endpoint: pulumi.Input<string>,
  ): KubeadmInit {
    const { machine, connection, host, artifacts, network, timeouts, settings } = first;
    const sans = pulumi.all(args.members.flatMap((member) => addressesOf(member.machine)));
    const documents = pulumi
      .all([kubeadmNode(first), host.facts, artifacts.refs, endpoint, sans])
      .apply(([firstNode, facts, refs, controlPlaneEndpoint, addresses]) =>
        initDocuments({
          kubernetesVersion: args.kubernetesVersion,
          clusterName: args.clusterName,
          node: firstNode,
          controlPlaneEndpoint,
          controlPlanes: args.members.length,
          network,
          proxyMode: network.proxyMode,
          machines: [facts],
          certSANs: [...new Set(["127.0.0.1", "localhost", ...addresses])],
          ...(settings.extraArgs ? { extraArgs: settings.extraArgs } : {}),
          dnsImageTag: tagOf(refs.coredns),
          etcdImageTag: tagOf(refs.etcd),
        }),
      );
    return new KubeadmInit(
      `${machine.name}-init`,
      { connection, instance: host.instance, documents, timeout: timeouts.init },
      { parent: this, dependsOn: setup.ready, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) },
    );
  }
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(":") + 1);
}

function addressesOf(machine: Machine): pulumi.Input<string>[] {
  return [machine.address, nodeAddress(machine)];
}
