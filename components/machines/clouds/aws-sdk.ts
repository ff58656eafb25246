import type * as pulumi from "@pulumi/pulumi";
import type { AwsLoadBalancerSdk } from "./aws-load-balancer";
import type { InputArgs, ResourceType } from "./sdk";

/** Tags of a resource. */
export type Tags = Record<string, string>;
type Id = pulumi.Input<string>;
/** A rule of a security group. */
export type Rule = {
  protocol: string;
  fromPort: number;
  toPort: number;
  cidrBlocks?: string[];
  self?: boolean;
  securityGroups?: Id[];
  description?: string;
};

/** The part of @pulumi/aws that Kubewright uses. */
export interface AwsSdk {
  lb: AwsLoadBalancerSdk;
  ec2: {
    Vpc: ResourceType<InputArgs<{ cidrBlock: string; enableDnsHostnames: boolean; tags: Tags }>>;
    InternetGateway: ResourceType<InputArgs<{ vpcId: string; tags: Tags }>>;
    Subnet: ResourceType<
      InputArgs<{ cidrBlock: string; availabilityZone?: string; mapPublicIpOnLaunch: boolean; tags: Tags }> & {
        vpcId: Id;
      }
    >;
    RouteTable: ResourceType<{ vpcId: Id; routes: { cidrBlock: string; gatewayId: Id }[]; tags: Tags }>;
    RouteTableAssociation: ResourceType<{ routeTableId: Id; subnetId: Id }>;
    SecurityGroup: ResourceType<
      InputArgs<{ name: string; description: string; vpcId: string; ingress: Rule[]; egress: Rule[]; tags: Tags }>
    >;
    KeyPair: ResourceType<
      InputArgs<{ keyName: string; tags: Tags }> & { publicKey: pulumi.Input<string> },
      { keyName: pulumi.Output<string> }
    >;
    PlacementGroup: ResourceType<InputArgs<{ name: string; tags: Tags }> & { strategy: string }>;
    Instance: ResourceType<
      InputArgs<{
        ami: string;
        instanceType: string;
        subnetId: string;
        keyName: string;
        userData: string;
        placementGroup?: string;
        tags: Tags;
        vpcSecurityGroupIds: pulumi.Input<string>[];
        metadataOptions: { httpTokens: string; httpPutResponseHopLimit: number };
        rootBlockDevice: { volumeSize: number; volumeType: string; encrypted: boolean };
      }>,
      { publicIp: pulumi.Output<string>; privateIp: pulumi.Output<string> }
    >;
    getAmiOutput(args: {
      owners: string[];
      mostRecent: boolean;
      filters: { name: string; values: string[] }[];
    }): pulumi.Output<{ id: string }>;
  };
}
