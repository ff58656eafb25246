import type * as pulumi from "@pulumi/pulumi";
import { addressIn } from "../../../render/cidr";
import { API_PORT, type ApiLoadBalancer, READY_PATH } from "../api-load-balancer";
import type { BalancedMachine } from "./cloud-machines";
import { type InputArgs, type ResourceType, numberOf } from "./sdk";

/** Offset of the load balancer in the subnet: after Hetzner's gateway, and before the first server. */
const OFFSET = 2;

/**
 * Health check of an API server. Hetzner's API expresses HTTPS as the protocol `http` with `tls`, and refuses `https`:
 * https://github.com/mysticaltech/terraform-hcloud-kube-hetzner/pull/2200
 * Times are in seconds.
 */
const HEALTH_CHECK = {
  protocol: "http",
  port: API_PORT,
  interval: 5,
  timeout: 3,
  retries: 3,
  http: { path: READY_PATH, tls: true, statusCodes: ["200"] },
};

type Labels = Record<string, string>;

/** The part of @pulumi/hcloud that creates a load balancer. */
export interface HcloudLoadBalancerSdk {
  LoadBalancer: ResourceType<
    InputArgs<{ name: string; loadBalancerType: string; location: string; labels: Labels }>,
    { ipv4: pulumi.Output<string> }
  >;
  LoadBalancerNetwork: ResourceType<
    InputArgs<{ loadBalancerId: number; networkId: number }> & { ip: string; enablePublicInterface: boolean }
  >;
  LoadBalancerService: ResourceType<
    InputArgs<{ loadBalancerId: string }> & {
      protocol: string;
      listenPort: number;
      destinationPort: number;
      proxyprotocol: boolean;
      healthCheck: typeof HEALTH_CHECK;
    }
  >;
  LoadBalancerTarget: ResourceType<
    InputArgs<{ loadBalancerId: number; serverId: number }> & { type: string; usePrivateIp: boolean }
  >;
}

/** What a load balancer is created from. */
export interface LoadBalancerPlan {
  cluster: string;
  loadBalancerType: string;
  /** Location at its creation. A load balancer cannot move, so a later change is ignored. */
  location: string;
  labels: Labels;
  network: pulumi.CustomResource;
  /** Range of the private network, and the resource that creates it. */
  subnet: string;
  subnetResource: pulumi.Resource;
  controlPlanes: readonly BalancedMachine[];
  parent: pulumi.Resource;
}

/** Creates a load balancer with a public address, which reaches the control planes over the private network. */
export function createHetznerLoadBalancer(sdk: HcloudLoadBalancerSdk, plan: LoadBalancerPlan): ApiLoadBalancer {
  const { cluster, loadBalancerType, location, labels, parent } = plan;
  const name = `${cluster}-api`;
  const balancer = new sdk.LoadBalancer(
    `${name}-load-balancer`,
    { name, loadBalancerType, location, labels },
    { parent, ignoreChanges: ["location"] },
  );
  const network = new sdk.LoadBalancerNetwork(
    `${name}-load-balancer-network`,
    {
      loadBalancerId: numberOf(balancer),
      networkId: numberOf(plan.network),
      ip: addressIn(plan.subnet, OFFSET),
      enablePublicInterface: true,
    },
    { parent, dependsOn: [plan.subnetResource] },
  );
  const service = new sdk.LoadBalancerService(
    `${name}-load-balancer-service`,
    {
      loadBalancerId: balancer.id,
      protocol: "tcp",
      listenPort: API_PORT,
      destinationPort: API_PORT,
      proxyprotocol: false, // An API server does not understand it.
      healthCheck: HEALTH_CHECK,
    },
    { parent },
  );
  return {
    kind: "loadBalancer",
    address: balancer.ipv4,
    after: [service, ...createTargets(sdk, plan, balancer, network)],
  };
}

/** Creates a target for each control plane. A private address can be used once the load balancer has one itself. */
function createTargets(
  sdk: HcloudLoadBalancerSdk,
  { controlPlanes, parent }: LoadBalancerPlan,
  balancer: pulumi.CustomResource,
  network: pulumi.Resource,
): pulumi.Resource[] {
  return controlPlanes.map(
    ({ name, resource }) =>
      new sdk.LoadBalancerTarget(
        `${name}-api-target`,
        { type: "server", loadBalancerId: numberOf(balancer), serverId: numberOf(resource), usePrivateIp: true },
        { parent, dependsOn: [network] },
      ),
  );
}
