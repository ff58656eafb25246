import type * as pulumi from "@pulumi/pulumi";
import { corednsPatch } from "../../render/coredns";
import { Rollout } from "../../sdk/kubernetes";
import { apiAccess, inCluster } from "./cluster-handle";
import type { ClusterScope } from "./step";

/** Patches the CoreDNS that kubeadm deployed, and waits until it is Available. */
export function rollOutKubeadmDns({ member, after, cluster }: ClusterScope): Rollout {
  const { name, timeouts, cluster: parent } = member.plan;
  const { metadata, spec } = corednsPatch({ nodes: member.plan.members.length });
  return new Rollout(
    `${name}-coredns`,
    {
      ...apiAccess(cluster),
      namespace: metadata.namespace,
      deployment: metadata.name,
      patch: { spec },
      timeout: timeouts.ready,
    },
    inCluster(cluster, parent, after),
  );
}

/** Waits until the cluster's own CoreDNS is Available, and again after a change of its image. */
export function rollOutDns({ member, after, cluster }: ClusterScope, parent: pulumi.Resource): Rollout {
  const { name, timeouts } = member.plan;
  return new Rollout(
    `${name}-coredns`,
    {
      ...apiAccess(cluster),
      namespace: "kube-system",
      deployment: "coredns",
      revision: member.artifacts.refs.coredns,
      timeout: timeouts.ready,
    },
    inCluster(cluster, parent, after),
  );
}
