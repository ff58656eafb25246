import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { apiEndpoint } from "../../render/api-balancer";
import { withEmulation } from "../../render/emulated-version";
import type { ComponentArgs } from "../../render/kubeadm-args";
import { initDocuments, joinDocument } from "../../render/kubeadm";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import {
  AddOns,
  ClusterConfiguration,
  ControlPlane,
  KubeadmEndpoint,
  KubeadmInit,
  type KubeadmInitArgs,
  KubeadmJoin,
} from "../../sdk/kubernetes";
import { deletedWithMachine } from "../machines/machine";
import { type ClusterHandle, apiAccess, inCluster } from "./cluster-handle";
import { apiServerNames, controlPlanesOf } from "./endpoint";
import { hasVerifiedKubelets, kubeletCertificates } from "./kubelet-serving";
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

/**
 * Runs `kubeadm init` on the first control plane. The resource has the cluster's name, because the cluster outlives
 * that machine. In older stacks it has the machine's name.
 */
export function initCluster({ member, after }: MachineScope): KubeadmInit {
  const controlPlanes = controlPlanesOf(member.plan);
  return new KubeadmInit(
    `${member.plan.name}-init`,
    {
      ...member.onMachine,
      documents: kubeadmDocuments(member),
      controlPlanes: controlPlanes.map(({ name }) => name),
      nodes: member.plan.members.map(({ name }) => name),
      timeout: member.plan.timeouts.init,
      ...optional({ restoreFrom: backupOf(member) }),
    },
    {
      ...member.options(member.groups.node, after),
      aliases: controlPlanes.map((one) => ({ name: one.resourceName("init") })),
    },
  );
}

/** The backup from which the cluster is created if its control planes are lost. */
function backupOf({ plan, artifacts }: ClusterMember): KubeadmInitArgs["restoreFrom"] | undefined {
  const { restoreFrom } = plan;
  if (restoreFrom === undefined) return undefined;
  const { backup, repository } = restoreFrom;
  const [, ...others] = controlPlanesOf(plan);
  return {
    backup,
    repository: pulumi.secret(repository),
    stack: pulumi.getStack(),
    etcdutl: artifacts.binaries.etcdutl,
    others: others.map(({ connection }) => connection),
  };
}

function kubeadmDocuments(member: ClusterMember): pulumi.Output<KubeadmDocument[]> {
  const { plan, artifacts } = member;
  const { network } = plan;
  const controlPlanes = controlPlanesOf(plan);
  return pulumi.all([member.kubeadmNode(), artifacts.refs, apiServerNames(plan)]).apply(([node, refs, certSANs]) =>
    initDocuments({
      kubernetesVersion: plan.version,
      clusterName: plan.name,
      node,
      controlPlaneEndpoint: apiEndpoint(plan.name),
      controlPlanes: controlPlanes.length,
      network,
      proxyMode: network.proxyMode,
      certSANs,
      encryption: plan.encryption !== undefined,
      apiServer: plan.apiServer,
      verifiesKubelets: hasVerifiedKubelets(member),
      ...optional({ extraArgs: extraArgsOf(plan), certificateKeys: plan.certificateKeys }),
      dnsImageTag: tagOf(refs.coredns),
      etcdImageTag: tagOf(refs.etcd),
    }),
  );
}

function extraArgsOf({ controlPlane: { extraArgs, emulate }, version }: ClusterPlan): ComponentArgs | undefined {
  return emulate === undefined ? extraArgs : withEmulation(extraArgs, version);
}

/** Brings the static pods and the serving certificate of a control plane to the configuration. */
export function configureControlPlane({ member, after }: MachineScope): ControlPlane {
  return new ControlPlane(
    member.resourceName("control-plane"),
    {
      ...member.onMachine,
      node: member.name,
      documents: documentsOf(kubeadmDocuments(member), ["InitConfiguration", "ClusterConfiguration"]),
      ...kubeletCertificates(member.plan),
    },
    member.options(member.groups.node, after),
  );
}

/** Writes kubeadm's and kube-proxy's configuration to the cluster. */
export function uploadConfiguration({ member, after, cluster }: ClusterScope): ClusterConfiguration {
  return new ClusterConfiguration(
    `${member.plan.name}-kubeadm-config`,
    {
      ...apiAccess(cluster),
      documents: documentsOf(kubeadmDocuments(member), ["ClusterConfiguration", "KubeProxyConfiguration"]),
    },
    inCluster(cluster, member.groups.node, after),
  );
}

/** Brings kube-proxy and CoreDNS to the version of the cluster, once every node has it and its images. */
export function upgradeAddOns({ member, after, cluster }: ClusterScope): AddOns {
  const { plan, artifacts } = member;
  return new AddOns(
    `${plan.name}-add-ons`,
    {
      ...apiAccess(cluster),
      kubeProxy: artifacts.refs.kubeProxy,
      coreDns: artifacts.refs.coredns,
      timeout: plan.timeouts.ready,
    },
    inCluster(cluster, member.groups.node, after),
  );
}

function documentsOf(
  documents: pulumi.Output<KubeadmDocument[]>,
  kinds: readonly KubeadmDocument["kind"][],
): pulumi.Output<KubeadmDocument[]> {
  return documents.apply((all) => all.filter(({ kind }) => kinds.includes(kind)));
}

/**
 * Makes a machine a control plane by `kubeadm join`, through any of the others. The machine that initialized the
 * cluster is a member already. A control plane is also a member of etcd, from which its deletion removes it, also if
 * its machine is deleted, but not if the whole cluster is.
 */
export function joinControlPlane({ member, after, cluster }: ClusterScope): KubeadmJoin {
  const { deletedWith } = deletedWithMachine(member.machine);
  const options = {
    parent: member.groups.node,
    dependsOn: after,
    ...optional({ deletedWith: deletedWith && cluster.origin }),
  };
  return joinMachine(member, cluster, { controlPlane: {} }, options);
}

/**
 * Id of a control plane's membership, for its node. It is known at preview, also where an older stack has no
 * KubeadmJoin for the machine that initialized the cluster.
 */
export function controlPlaneMembership(init: KubeadmInit, join: KubeadmJoin): pulumi.Output<string> {
  return pulumi
    .all([init.id, join.instance])
    .apply(([id, instance]) => (id === `${instance}/kubeadm-init` ? id : `${instance}/kubeadm-join`));
}

/** Runs `kubeadm join` for a worker. */
export function joinWorker({ member, after, cluster }: ClusterScope): KubeadmJoin {
  const options = { parent: member.groups.node, dependsOn: after, ...deletedWithMachine(member.machine) };
  return joinMachine(member, cluster, {}, options);
}

/** Makes everything that all nodes share use the balancers. A new cluster does so from the beginning. */
export function useEndpoint({ member, after, cluster }: ClusterScope): KubeadmEndpoint {
  const { plan } = member;
  return new KubeadmEndpoint(
    `${plan.name}-api-endpoint`,
    { ...apiAccess(cluster), endpoint: cluster.endpoint, timeout: plan.timeouts.ready },
    inCluster(cluster, member.groups.node, after),
  );
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
      // The kubelet of a control plane uses the API server on the same machine.
      ...optional({ endpoint: role.controlPlane ? undefined : cluster.endpoint }),
      caCertHash: cluster.caCertHash,
      timeout: member.plan.timeouts.join,
    },
    options,
  );
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(":") + 1);
}
