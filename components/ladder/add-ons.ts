import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../../sdk/host";
import { Manifests, Rollout } from "../../sdk/kubernetes";
import { corednsManifests } from "../../render/components/coredns";
import { kubeProxyManifests } from "../../render/components/kube-proxy";
import { kubeProxyConfiguration, pullPolicy } from "../../render/kubeadm";
import { byName } from "../../render/object";
import type { ClusterHandle, MemberArgs } from "../cluster-member";
import { PodNetwork } from "../pod-network";
import { type LadderNode, dnsAddress } from "./node";

export interface AddOnArgs {
  name: string;
  /** The control plane. */
  member: MemberArgs;
  cluster: Omit<ClusterHandle, "podNetwork">;
  nodes: readonly LadderNode[];
  after: pulumi.Resource[];
  parent: pulumi.Resource;
}

export interface ProxyArgs extends AddOnArgs {
  /** All machines: one configuration serves them all. */
  hosts: readonly Host[];
}

/** kube-proxy on every node. */
export function addProxy({ name, member, cluster, nodes, after, parent, hosts }: ProxyArgs): void {
  const { artifacts, network } = member;
  const objects = pulumi
    .all([artifacts.refs, artifacts.images, cluster.endpoint, pulumi.all(hosts.map(({ facts }) => facts))])
    .apply(([refs, images, endpoint, machines]) =>
      byName(
        kubeProxyManifests({
          image: refs.kubeProxy,
          imagePullPolicy: pullPolicy(images.kind === "archives"),
          configuration: kubeProxyConfiguration({ proxyMode: network.proxyMode, machines }),
          podCidr: network.podCidr,
          server: `https://${endpoint}`,
        }),
      ),
    );
  const remains = nodes.flatMap((node) => node.remains["kube-proxy"] ?? []);
  new Manifests(
    `${name}-kube-proxy`,
    { ...inCluster(cluster), objects },
    { parent, dependsOn: [...after, ...remains], deletedWith: cluster.origin },
  );
}

/** The pod network across machines, and the cluster's names. */
export function addDns({ name, member, cluster, nodes, after, parent }: AddOnArgs): void {
  const { artifacts, network, timeouts } = member;
  const remains = nodes.flatMap((node) => node.remains.flannel ?? []);
  const flannel =
    network.plugin === "bridge"
      ? []
      : [
          new PodNetwork(
            `${name}-pod-network`,
            { ...cluster, artifacts, network, after: [...after, ...remains] },
            { parent },
          ).manifests,
        ];
  const objects = pulumi.all([artifacts.refs, artifacts.images]).apply(([refs, images]) =>
    byName(
      corednsManifests({
        image: refs.coredns,
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        clusterIp: dnsAddress(network.serviceCidr),
        dnsDomain: network.dnsDomain,
      }),
    ),
  );
  const coredns = new Manifests(
    `${name}-coredns-objects`,
    { ...inCluster(cluster), objects },
    { parent, dependsOn: [...after, ...flannel], deletedWith: cluster.origin },
  );
  new Rollout(
    `${name}-coredns`,
    { ...inCluster(cluster), namespace: "kube-system", deployment: "coredns", timeout: timeouts.ready },
    { parent, dependsOn: [coredns], deletedWith: cluster.origin },
  );
}

function inCluster({ controlPlanes, caCertHash }: AddOnArgs["cluster"]) {
  return { controlPlanes, caCertHash };
}
