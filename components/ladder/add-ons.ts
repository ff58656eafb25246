import * as pulumi from "@pulumi/pulumi";
import { corednsManifests } from "../../render/components/coredns";
import {
  KUBE_PROXY,
  type KubeProxyOptions,
  kubeProxyManifests,
  kubeProxyRevision,
} from "../../render/components/kube-proxy";
import { bootstrapBindings, defaultServiceAccount } from "../../render/components/rbac";
import { kubeProxyConfiguration, pullPolicy } from "../../render/kubeadm";
import { type KubernetesObject, byName } from "../../render/object";
import { DaemonSetRollout, Manifests } from "../../sdk/kubernetes";
import { apiAccess, inCluster } from "../steps/cluster-handle";
import { type LadderScope, dnsAddress } from "./ladder-cluster";

/** Allows kubelets to join. */
export function applyBootstrapBindings(scope: LadderScope): Manifests {
  return apply(scope, "bindings", byName(bootstrapBindings()));
}

/** Creates the service account that pods need, where no controller manager creates it. */
export function applyDefaultServiceAccount(scope: LadderScope): Manifests {
  return apply(scope, "default-service-account", byName([defaultServiceAccount()]));
}

/** Applies kube-proxy. One configuration serves all machines. */
export function applyProxy(scope: LadderScope): Manifests {
  const objects = proxyOptions(scope).apply((options) => byName(kubeProxyManifests(options)));
  return apply(scope, "kube-proxy", objects);
}

/** Replaces kube-proxy's pods of another version or configuration, once all nodes have its image. */
export function rollOutProxy(scope: LadderScope): DaemonSetRollout {
  const { after, cluster, context } = scope;
  const { name, timeouts } = context.plan;
  return new DaemonSetRollout(
    `${name}-kube-proxy-pods`,
    {
      ...apiAccess(cluster),
      ...KUBE_PROXY,
      revision: proxyOptions(scope).apply(kubeProxyRevision),
      timeout: timeouts.ready,
    },
    inCluster(cluster, context.group, after),
  );
}

function proxyOptions({ cluster, member: { artifacts, plan } }: LadderScope): pulumi.Output<KubeProxyOptions> {
  const { proxyMode, podCidr } = plan.network;
  return pulumi.all([artifacts.refs, artifacts.images, cluster.endpoint]).apply(([refs, images, endpoint]) => ({
    image: refs.kubeProxy,
    imagePullPolicy: pullPolicy(images.kind === "archives"),
    configuration: kubeProxyConfiguration({ proxyMode }),
    podCidr,
    server: `https://${endpoint}`,
  }));
}

/** Applies CoreDNS. */
export function applyDns(scope: LadderScope): Manifests {
  const { artifacts, plan } = scope.member;
  const { serviceCidr, dnsDomain } = plan.network;
  const objects = pulumi.all([artifacts.refs, artifacts.images]).apply(([refs, images]) =>
    byName(
      corednsManifests({
        image: refs.coredns,
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        clusterIp: dnsAddress(serviceCidr),
        dnsDomain,
      }),
    ),
  );
  return apply(scope, "coredns-objects", objects);
}

function apply(
  { after, cluster, context: { plan, group } }: LadderScope,
  name: string,
  objects: pulumi.Input<Record<string, KubernetesObject>>,
): Manifests {
  return new Manifests(`${plan.name}-${name}`, { ...apiAccess(cluster), objects }, inCluster(cluster, group, after));
}
