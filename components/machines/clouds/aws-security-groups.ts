import type * as pulumi from "@pulumi/pulumi";
import { API_PORT } from "../api-load-balancer";
import type { AwsSdk, Rule, Tags } from "./aws-sdk";
import { CLUSTER_PORTS } from "./user-data";

const EVERYWHERE = ["0.0.0.0/0"];
const EVERYTHING: Rule = { protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: EVERYWHERE };

/** What the security groups of a cluster are created from. */
export interface SecurityGroupPlan {
  cluster: string;
  vpc: pulumi.CustomResource;
  /** Ranges from which the instances accept SSH. */
  sshFrom: string[];
  /** Ranges from which the load balancer accepts connections; undefined without one. */
  apiFrom: string[] | undefined;
  tags: Tags;
  parent: pulumi.Resource;
}

/** The security groups of a cluster. */
export interface SecurityGroups {
  nodes: pulumi.CustomResource;
  /** That of the load balancer, if there is one. */
  balancer: pulumi.CustomResource | undefined;
}

/**
 * Creates the security group of the instances, and that of the load balancer. Instances accept its connections by the
 * group, because they see the addresses of its clients.
 */
export function createSecurityGroups({ ec2 }: Pick<AwsSdk, "ec2">, plan: SecurityGroupPlan): SecurityGroups {
  const { cluster, vpc, sshFrom, apiFrom, tags, parent } = plan;
  const create = (name: string, description: string, ingress: Rule[]) =>
    new ec2.SecurityGroup(name, { name, description, vpcId: vpc.id, ingress, egress: [EVERYTHING], tags }, { parent });
  const balancer = apiFrom && create(`${cluster}-api`, `API load balancer of ${cluster}`, [clientRule(apiFrom)]);
  const nodes = create(`${cluster}-nodes`, `Kubernetes nodes of ${cluster}`, nodeRules(sshFrom, balancer));
  return { nodes, balancer };
}

function clientRule(cidrBlocks: string[]): Rule {
  return { protocol: "tcp", fromPort: API_PORT, toPort: API_PORT, cidrBlocks, description: "Kubernetes API" };
}

function nodeRules(sshFrom: string[], balancer?: pulumi.CustomResource): Rule[] {
  return [
    { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: sshFrom, description: "SSH" },
    { protocol: "icmp", fromPort: -1, toPort: -1, cidrBlocks: EVERYWHERE, description: "path MTU and ping" },
    ...CLUSTER_PORTS.map(({ protocol, from, to, purpose }) => ({
      protocol,
      fromPort: from,
      toPort: to,
      self: true,
      description: purpose,
      ...(balancer && from === API_PORT ? { securityGroups: [balancer.id] } : {}),
    })),
  ];
}
