import * as pulumi from "@pulumi/pulumi";
import { corednsManifests } from "../../render/components/coredns";
import { kubeProxyManifests } from "../../render/components/kube-proxy";
import { bootstrapBindings, defaultServiceAccount } from "../../render/components/rbac";
import { kubeProxyConfiguration, pullPolicy } from "../../render/kubeadm";
import { type KubernetesObject, byName } from "../../render/object";
import { Manifests } from "../../sdk/kubernetes";
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
  const { cluster } = scope;
  const { artifacts, plan } = scope.member;
  const { proxyMode, podCidr } = plan.network;
  const objects = pulumi.all([artifacts.refs, artifacts.images, cluster.endpoint]).apply(([refs, images, endpoint]) =>
    byName(
      kubeProxyManifests({
        image: refs.kubeProxy,
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        configuration: kubeProxyConfiguration({ proxyMode }),
        podCidr,
        server: `https://${endpoint}`,
      }),
    ),
  );
  return apply(scope, "kube-proxy", objects);
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
