import * as pulumi from "@pulumi/pulumi";
import { FLANNEL, type FlannelOptions, flannelManifests, flannelRevision } from "../../render/flannel";
import { pullPolicy } from "../../render/kubeadm";
import { byName } from "../../render/object";
import { DaemonSetRollout, Manifests } from "../../sdk/kubernetes";
import { type ClusterHandle, apiAccess, inCluster } from "./cluster-handle";
import type { ClusterMember } from "./member";
import type { ClusterScope } from "./step";
import { ResourceGroup } from "./resource-group";

/** Applies flannel, the network of pods across machines. No node is Ready before flannel runs on it. */
export function applyPodNetwork(
  { member, after, cluster }: ClusterScope,
  owner: { name: string; group: pulumi.Resource },
): Manifests {
  const name = `${owner.name}-pod-network`;
  const group = new ResourceGroup("PodNetwork", name, owner.group);
  const objects = flannelOptions(member, cluster).apply((options) => byName(flannelManifests(options)));
  return new Manifests(`${name}-flannel`, { ...apiAccess(cluster), objects }, inCluster(cluster, group, after));
}

/**
 * Replaces flannel's pods of another version or configuration, once all nodes have its image. Flannel itself must come
 * before the nodes, and so before a new version's images on nodes that wait for others.
 */
export function rollOutPodNetwork({ member, after, cluster }: ClusterScope, parent: pulumi.Resource): DaemonSetRollout {
  const { name, timeouts } = member.plan;
  return new DaemonSetRollout(
    `${name}-flannel-pods`,
    {
      ...apiAccess(cluster),
      ...FLANNEL,
      revision: flannelOptions(member, cluster).apply(flannelRevision),
      timeout: timeouts.ready,
    },
    inCluster(cluster, parent, after),
  );
}

function flannelOptions(
  { artifacts, plan }: ClusterMember,
  { endpoint }: ClusterHandle,
): pulumi.Output<FlannelOptions> {
  const { podCidr, backend, proxyMode } = plan.network;
  return pulumi.all([artifacts.refs, artifacts.images, endpoint]).apply(([refs, images, address]) => ({
    podCidr,
    backend,
    image: refs.flannel,
    imagePullPolicy: pullPolicy(images.kind === "archives"),
    proxyMode,
    apiServer: splitEndpoint(address),
  }));
}

function splitEndpoint(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
