import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { initDocuments, joinDocument } from "../../render/kubeadm";
import { KubeadmInit, KubeadmJoin } from "../../sdk/kubernetes";
import { deletedWithMachine, nodeAddress } from "../machines/machine";
import type { ClusterHandle } from "./cluster-handle";
import type { ClusterMember, ClusterPlan, MemberGroups } from "./member";
import { ResourceGroup } from "./resource-group";
import type { ClusterScope, MachineScope } from "./step";

/** What the steps of a cluster that kubeadm builds have in common. */
export class KubeadmCluster {
  /** Parent of the control planes' resources. */
  readonly controlPlane: { name: string; group: ResourceGroup };

  constructor(readonly plan: ClusterPlan) {
    const name = `${plan.name}-control-plane`;
    this.controlPlane = { name, group: new ResourceGroup("ControlPlane", name, plan.cluster) };
  }

  groupsOf(member: ClusterMember): MemberGroups {
    const name = this.plan.resourceName(member.name);
    const node = member.isControlPlane ? this.controlPlane.group : new ResourceGroup("Worker", name, this.plan.cluster);
    return { node, setup: new ResourceGroup("NodeSetup", name, node) };
  }
}

/** Runs `kubeadm init` on the first control plane. */
export function initCluster({ member, after }: MachineScope): KubeadmInit {
  return new KubeadmInit(
    member.resourceName("init"),
    {
      ...member.onMachine,
      documents: kubeadmDocuments(member),
      controlPlanes: controlPlanesOf(member.plan).map(({ name }) => name),
      timeout: member.plan.timeouts.init,
    },
    member.options(member.groups.node, after),
  );
}

/** The address by which all nodes and users reach the API server. */
export function apiServerEndpoint({ plan, address }: ClusterMember): pulumi.Input<string> {
  return plan.controlPlane.endpoint ?? pulumi.interpolate`${address}:6443`;
}

function kubeadmDocuments(member: ClusterMember): pulumi.Output<ReturnType<typeof initDocuments>> {
  const { plan, artifacts } = member;
  const { network, controlPlane } = plan;
  const controlPlanes = controlPlanesOf(plan);
  const addresses = pulumi.all(controlPlanes.flatMap(({ machine }) => [machine.host, nodeAddress(machine)]));
  return pulumi
    .all([member.kubeadmNode(), artifacts.refs, apiServerEndpoint(member), addresses])
    .apply(([node, refs, controlPlaneEndpoint, sans]) =>
      initDocuments({
        kubernetesVersion: plan.version,
        clusterName: plan.name,
        node,
        controlPlaneEndpoint,
        controlPlanes: controlPlanes.length,
        network,
        proxyMode: network.proxyMode,
        certSANs: [...new Set(["127.0.0.1", "localhost", ...sans])],
        ...optional({ extraArgs: controlPlane.extraArgs }),
        dnsImageTag: tagOf(refs.coredns),
        etcdImageTag: tagOf(refs.etcd),
      }),
    );
}

/**
 * Runs `kubeadm join` for one more control plane. A control plane is also a member of etcd, from which its deletion
 * removes it.
 */
export function joinControlPlane({ member, after, cluster }: ClusterScope): KubeadmJoin {
  const options = { parent: member.groups.node, dependsOn: after, deletedWith: cluster.origin };
  // Only the first control plane is certain to exist: the others may be joining, too.
  return joinMachine(
    member,
    { ...cluster, controlPlanes: cluster.controlPlanes.slice(0, 1) },
    { controlPlane: {} },
    options,
  );
}

/** Runs `kubeadm join` for a worker. */
export function joinWorker({ member, after, cluster }: ClusterScope): KubeadmJoin {
  const options = { parent: member.groups.node, dependsOn: after, ...deletedWithMachine(member.machine) };
  return joinMachine(member, cluster, {}, options);
}

function joinMachine(
  member: ClusterMember,
  cluster: ClusterHandle,
  role: { controlPlane?: object },
  options: pulumi.CustomResourceOptions,
): KubeadmJoin {
  const document = pulumi
    .all([member.kubeadmNode(), cluster.endpoint])
    .apply(([node, endpoint]) => joinDocument({ node, apiServerEndpoint: endpoint, ...role }));
  return new KubeadmJoin(
    member.resourceName("join"),
    {
      ...member.onMachine,
      controlPlanes: cluster.controlPlanes,
      document,
      caCertHash: cluster.caCertHash,
      timeout: member.plan.timeouts.join,
    },
    options,
  );
}

function controlPlanesOf({ members }: ClusterPlan): ClusterMember[] {
  return members.filter(({ isControlPlane }) => isControlPlane);
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(":") + 1);
}
