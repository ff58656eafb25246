import type * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../sdk/connection";

/** How resources use a cluster that exists. */
export interface ClusterHandle {
  /** The resource that created the cluster; its deletion deletes the cluster. */
  origin: pulumi.Resource;
  /** SHA-256 of the CA's public key: `sha256:<hex>`. */
  caCertHash: pulumi.Input<string>;
  /** Address of the API server: `host:port`. */
  endpoint: pulumi.Input<string>;
  controlPlanes: ConnectionArgs[];
}

/** The arguments of a resource that uses the API. */
export function apiAccess({
  controlPlanes,
  caCertHash,
}: ClusterHandle): Pick<ClusterHandle, "controlPlanes" | "caCertHash"> {
  return { controlPlanes, caCertHash };
}

/** Options of a resource in the cluster: it is not deleted by itself if the whole cluster is deleted. */
export function inCluster(
  { origin }: ClusterHandle,
  parent: pulumi.Resource,
  dependsOn: pulumi.Resource[],
): pulumi.CustomResourceOptions {
  return { parent, dependsOn, deletedWith: origin };
}
