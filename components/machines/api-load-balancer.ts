import type * as pulumi from "@pulumi/pulumi";

/** Port of the API servers, and of a load balancer of a cloud in front of them. */
export const API_PORT = 6443;

/** Path at which an API server reports whether it is ready: https://kubernetes.io/docs/reference/using-api/health-checks/ */
export const READY_PATH = "/readyz";

/** The load balancer of a cloud in front of the API servers, for `controlPlane.endpoint` of a `Cluster`. */
export interface ApiLoadBalancer {
  kind: "loadBalancer";
  /** IP address or DNS name of the load balancer, without a port. Clients connect to port 6443. */
  address: pulumi.Input<string>;
  /**
   * Resources that must exist before clients can use the address, such as the targets.
   * @default none
   */
  after?: pulumi.Resource[];
}
