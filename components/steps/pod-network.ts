import * as pulumi from "@pulumi/pulumi";
import { flannelManifests } from "../../render/flannel";
import { pullPolicy } from "../../render/kubeadm";
import { byName } from "../../render/object";
import { Manifests } from "../../sdk/kubernetes";
import { apiAccess, inCluster } from "./cluster-handle";
import type { ClusterScope } from "./step";
import { ResourceGroup } from "./resource-group";

/** Applies flannel, the network of pods across machines. No node is Ready before flannel runs on it. */
export function applyPodNetwork(
  { member, after, cluster }: ClusterScope,
  owner: { name: string; group: pulumi.Resource },
): Manifests {
  const { artifacts, plan } = member;
  const { podCidr, backend, proxyMode } = plan.network;
  const name = `${owner.name}-pod-network`;
  const group = new ResourceGroup("PodNetwork", name, owner.group);
  const objects = pulumi.all([artifacts.refs, artifacts.images, cluster.endpoint]).apply(([refs, images, endpoint]) =>
    byName(
      flannelManifests({
        podCidr,
        backend,
        image: refs.flannel,
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        proxyMode,
        apiServer: splitEndpoint(endpoint),
      }),
    ),
  );
  return new Manifests(`${name}-flannel`, { ...apiAccess(cluster), objects }, inCluster(cluster, group, after));
}

function splitEndpoint(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
