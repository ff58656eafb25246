import * as pulumi from "@pulumi/pulumi";
import { Manifests, Rollout } from "../provider/sdk/kubernetes";
import type { Artifacts } from "../provider/sdk/local";
import { corednsPatch } from "../render/coredns";
import { flannelManifests, type KubernetesObject } from "../render/flannel";
import { pullPolicy } from "../render/kubeadm";
import type { ClusterHandle } from "./member";
import type { NetworkSettings, Timeouts } from "./settings";

export interface AddOnsArgs {
  cluster: ClusterHandle;
  artifacts: Artifacts;
  network: NetworkSettings;
  timeouts: Timeouts;
}

/** What makes nodes into a cluster: the pod network across machines, and names. */
export class AddOns extends pulumi.ComponentResource {
  constructor(name: string, args: AddOnsArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:AddOns", name, {}, options);
    const { cluster, artifacts, network, timeouts } = args;
    const inCluster = { controlPlanes: cluster.controlPlanes, caCertHash: cluster.init.caCertHash };
    const child = { parent: this, dependsOn: [cluster.init], deletedWith: cluster.init };
    const flannel = pulumi.all([artifacts.refs, artifacts.images, cluster.endpoint]).apply(([refs, images, endpoint]) =>
      byName(
        flannelManifests({
          podCidr: network.podCidr,
          backend: network.backend,
          image: refs.flannel,
          imagePullPolicy: pullPolicy(images.kind === "archives"),
          proxyMode: network.proxyMode,
          apiServer: hostAndPort(endpoint),
        }),
      ),
    );
    const podNetwork = new Manifests(`${name}-flannel`, { ...inCluster, objects: flannel }, child);
    const { metadata, spec } = corednsPatch();
    new Rollout(
      `${name}-coredns`,
      { ...inCluster, namespace: metadata.namespace, deployment: metadata.name, patch: { spec }, timeout: timeouts.ready },
      { ...child, dependsOn: [podNetwork] },
    );
    this.registerOutputs({});
  }
}

/** Objects by a name that says in a diff which one changed. */
function byName(objects: KubernetesObject[]): Record<string, KubernetesObject> {
  return Object.fromEntries(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
}

function hostAndPort(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
