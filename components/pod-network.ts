import * as pulumi from "@pulumi/pulumi";
import { Manifests } from "../sdk/kubernetes";
import type { Artifacts } from "../sdk/local";
import { flannelManifests } from "../render/flannel";
import { pullPolicy } from "../render/kubeadm";
import { byName } from "../render/object";
import type { ClusterHandle } from "./cluster-member";
import type { NetworkSettings } from "./settings";

export interface PodNetworkArgs extends Omit<ClusterHandle, "podNetwork"> {
  /** Further ones than the cluster itself. */
  after?: pulumi.Resource[];
  artifacts: Artifacts;
  network: NetworkSettings;
}

/** The network of pods across machines: flannel. No node is Ready before it runs there. */
export class PodNetwork extends pulumi.ComponentResource {
  readonly manifests: Manifests;

  constructor(name: string, args: PodNetworkArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:PodNetwork", name, {}, options);
    const { origin, caCertHash, controlPlanes, artifacts, network, after = [] } = args;
    const objects = pulumi.all([artifacts.refs, artifacts.images, args.endpoint]).apply(([refs, images, endpoint]) =>
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
    this.manifests = new Manifests(
      `${name}-flannel`,
      { controlPlanes, caCertHash, objects },
      { parent: this, dependsOn: [origin, ...after], deletedWith: origin },
    );
    this.registerOutputs({});
  }
}

function hostAndPort(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
