import type * as pulumi from "@pulumi/pulumi";
import { API_PORT, type ApiLoadBalancer, READY_PATH } from "../api-load-balancer";
import type { BalancedMachine } from "./cloud-machines";
import type { InputArgs, ResourceType } from "./sdk";

/** Longest name of a load balancer and of a target group. */
const NAME_LENGTH = 32;

/**
 * Health check of an API server; times are in seconds. A Network Load Balancer verifies no certificate:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
 */
const HEALTH_CHECK = {
  protocol: "HTTPS",
  port: String(API_PORT),
  path: READY_PATH,
  matcher: "200",
  interval: 10,
  timeout: 6,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
};

type Tags = Record<string, string>;

/** The part of @pulumi/aws that creates a Network Load Balancer. */
export interface AwsLoadBalancerSdk {
  LoadBalancer: ResourceType<
    InputArgs<{ name: string; tags: Tags }> & {
      loadBalancerType: string;
      internal: boolean;
      subnets: pulumi.Input<string>[];
      securityGroups: pulumi.Input<string>[];
    },
    { dnsName: pulumi.Output<string> }
  >;
  TargetGroup: ResourceType<
    InputArgs<{ name: string; vpcId: string; tags: Tags }> & {
      port: number;
      protocol: string;
      targetType: string;
      healthCheck: typeof HEALTH_CHECK;
    }
  >;
  Listener: ResourceType<
    InputArgs<{ loadBalancerArn: string; tags: Tags }> & {
      port: number;
      protocol: string;
      defaultActions: { type: string; targetGroupArn: pulumi.Input<string> }[];
    }
  >;
  TargetGroupAttachment: ResourceType<InputArgs<{ targetGroupArn: string; targetId: string }> & { port: number }>;
}

/** What a load balancer is created from. */
export interface LoadBalancerPlan {
  cluster: string;
  vpc: pulumi.CustomResource;
  subnet: pulumi.CustomResource;
  /** Security group of the load balancer, from which that of the instances accepts connections. */
  group: pulumi.CustomResource;
  tags: Tags;
  /** Resources that must exist before a load balancer can be reached from the internet. */
  after: pulumi.Resource[];
  controlPlanes: readonly BalancedMachine[];
  parent: pulumi.Resource;
}

/** Creates a Network Load Balancer with a public DNS name. The ids of its resources are ARNs. */
export function createAwsLoadBalancer(sdk: AwsLoadBalancerSdk, plan: LoadBalancerPlan): ApiLoadBalancer {
  const { cluster, vpc, subnet, group, tags, parent } = plan;
  const [prefix, name] = [`${cluster}-api`, balancerName(cluster)];
  const balancer = new sdk.LoadBalancer(
    `${prefix}-load-balancer`,
    { name, loadBalancerType: "network", internal: false, subnets: [subnet.id], securityGroups: [group.id], tags },
    { parent, dependsOn: plan.after },
  );
  const targets = new sdk.TargetGroup(
    `${prefix}-targets`,
    { name, vpcId: vpc.id, port: API_PORT, protocol: "TCP", targetType: "instance", healthCheck: HEALTH_CHECK, tags },
    { parent },
  );
  const defaultActions = [{ type: "forward", targetGroupArn: targets.id }];
  const listener = new sdk.Listener(
    `${prefix}-listener`,
    { loadBalancerArn: balancer.id, port: API_PORT, protocol: "TCP", defaultActions, tags },
    { parent },
  );
  const attached = plan.controlPlanes.map(
    ({ name: machine, resource }) =>
      new sdk.TargetGroupAttachment(
        `${machine}-api-target`,
        { targetGroupArn: targets.id, targetId: resource.id, port: API_PORT },
        { parent },
      ),
  );
  return { kind: "loadBalancer", address: balancer.dnsName, after: [listener, ...attached] };
}

/** Lower case, because the DNS name contains it, and kubeadm accepts no other names in certificates. */
function balancerName(cluster: string): string {
  const label = cluster.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `kw-${label}`.slice(0, NAME_LENGTH - "-api".length).replace(/-+$/, "") + "-api";
}
