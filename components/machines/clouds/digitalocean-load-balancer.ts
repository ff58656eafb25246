import type * as pulumi from "@pulumi/pulumi";
import { optional } from "../../../common/optional";
import { API_PORT, type ApiLoadBalancer, READY_PATH } from "../api-load-balancer";
import type { BalancedMachine } from "./cloud-machines";
import { type InputArgs, type ResourceType, numberOf } from "./sdk";

/**
 * Health check of an API server; times are in seconds. A status from 200 to 299 counts as healthy:
 * https://docs.digitalocean.com/support/how-to-troubleshoot-load-balancer-health-check-issues
 */
const HEALTH_CHECK = {
  protocol: "https",
  port: API_PORT,
  path: READY_PATH,
  checkIntervalSeconds: 5,
  responseTimeoutSeconds: 3,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
};

/** Connections are forwarded as they are: the API server ends TLS itself. */
const FORWARDING_RULE = { entryProtocol: "tcp", entryPort: API_PORT, targetProtocol: "tcp", targetPort: API_PORT };

/** The part of @pulumi/digitalocean that creates a load balancer. */
export interface DigitalOceanLoadBalancerSdk {
  LoadBalancer: ResourceType<
    InputArgs<{ name: string; region: string; vpcUuid: string; dropletIds: pulumi.Input<number>[] }> & {
      forwardingRules: (typeof FORWARDING_RULE)[];
      healthcheck: typeof HEALTH_CHECK;
      firewall?: { allows: string[] };
    },
    { ip: pulumi.Output<string> }
  >;
}

/** What a load balancer is created from. */
export interface LoadBalancerPlan {
  cluster: string;
  region: string;
  vpc: pulumi.CustomResource;
  /** Ranges from which clients may connect. */
  apiFrom: readonly string[];
  controlPlanes: readonly BalancedMachine[];
  parent: pulumi.Resource;
}

/** Creates a load balancer in the VPC, with a public address. Returns its id too, for the firewall of the droplets. */
export function createDigitalOceanLoadBalancer(
  sdk: DigitalOceanLoadBalancerSdk,
  { cluster, region, vpc, apiFrom, controlPlanes, parent }: LoadBalancerPlan,
): { balancer: ApiLoadBalancer; id: pulumi.Output<string> } {
  const name = `${cluster}-api`;
  const created = new sdk.LoadBalancer(
    `${name}-load-balancer`,
    {
      name,
      region,
      vpcUuid: vpc.id,
      dropletIds: controlPlanes.map(({ resource }) => numberOf(resource)),
      forwardingRules: [FORWARDING_RULE],
      healthcheck: HEALTH_CHECK,
      ...optional({ firewall: firewallOf(apiFrom) }),
    },
    { parent },
  );
  return { balancer: { kind: "loadBalancer", address: created.ip, after: [created] }, id: created.id };
}

/** Without a firewall, a load balancer accepts connections from everywhere. */
function firewallOf(ranges: readonly string[]): { allows: string[] } | undefined {
  return ranges.includes("0.0.0.0/0") ? undefined : { allows: ranges.map((range) => `cidr:${range}`) };
}
