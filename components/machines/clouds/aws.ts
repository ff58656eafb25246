import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../../common/optional";
import { cidr } from "../../fields/fields";
import type { ApiLoadBalancer } from "../api-load-balancer";
import { defineKind } from "../kind";
import type { Machine } from "../machine";
import { createAwsLoadBalancer } from "./aws-load-balancer";
import type { AwsSdk, Tags } from "./aws-sdk";
import { type SecurityGroups, createSecurityGroups } from "./aws-security-groups";
import {
  type BalancedMachine,
  CloudMachines,
  type CloudMachinesArgs,
  type SharedInfrastructure,
  type Vm,
  type VmPlan,
} from "./cloud-machines";
import { apiFrom, spreadOverGroups, sshFrom } from "./user-data";
import { loadSdk } from "./sdk";

/** Largest number of instances per availability zone in a placement group with the strategy spread. */
const GROUP_SIZE = 7;

type Arch = "amd64" | "arm64";

/** Owner and name pattern of the AMIs of each image family. */
const IMAGES: Record<string, { owner: string; name(arch: Arch): string }> = {
  "debian-12": { owner: "136693071363", name: (arch) => `debian-12-${arch}-*` },
  "ubuntu-24.04": {
    owner: "099720109477",
    name: (arch) => `ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-${arch}-server-*`,
  },
  "fedora-42": {
    owner: "125523088429",
    name: (arch) => `Fedora-Cloud-Base-AmazonEC2.${arch === "arm64" ? "aarch64" : "x86_64"}-42-*`,
  },
};

const shared = {
  /** Range of the VPC and its only subnet. */
  subnet: cidr.default("10.92.0.0/24"),
  /**
   * Availability zone of all instances.
   * @default a zone that AWS chooses, in the region `aws:region`
   */
  availabilityZone: z.string().optional(),
  /** Ranges from which the security group allows connections to the SSH port. */
  sshFrom,
  /** Ranges from which clients may connect to the load balancer, with `controlPlane.endpoint.kind: loadBalancer`. */
  apiFrom,
};

const each = {
  /** Instance type. Graviton types, such as `t4g` and `m7g`, are arm64, all others amd64. */
  instanceType: z.string().default("t3.medium"),
  /** Image family, of which the newest AMI is used, or the id of an AMI. A change does not replace instances. */
  image: z.union([z.enum(Object.keys(IMAGES)), z.string().regex(/^ami-[0-9a-f]+$/)]).default("debian-12"),
  /** Size of the root volume in GiB. */
  diskGiB: z.int().min(8).default(30),
};

const shapes = { shared, each };
type Each = z.output<z.ZodObject<typeof each>>;

interface AwsInfrastructure extends SharedInfrastructure {
  login: { keyName: pulumi.Output<string> };
  vpc: pulumi.CustomResource;
  subnet: pulumi.CustomResource;
  groups: SecurityGroups;
  /** Placement groups by machine name. */
  placement: Map<string, pulumi.CustomResource>;
}

/**
 * EC2 instances in a VPC with one public subnet, in a security group that allows SSH, ICMP, and the cluster's own ports
 * between the instances. Needs the package `@pulumi/aws`, credentials and `aws:region`.
 *
 * @example
 * const { machines } = new AwsMachines("dev", {
 *   machines: [{ name: "control-plane-1", role: "control-plane" }, { name: "worker-1" }],
 *   settings: { instanceType: "t4g.medium" },
 *   folder: "/home/me/keys",
 * });
 */
export class AwsMachines extends CloudMachines<typeof shared, typeof each, AwsInfrastructure> {
  readonly machines: Machine[];
  protected readonly onlyAtCreation = ["userData", "ami"];
  private readonly sdk = loadSdk<AwsSdk>("@pulumi/aws");
  private readonly ec2 = this.sdk.ec2;

  constructor(
    cluster: string,
    args: CloudMachinesArgs<typeof shared, typeof each>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("AwsMachines", cluster, shapes, args, options);
    this.machines = this.createMachines();
    this.registerOutputs({});
  }

  protected createInfrastructure(publicKey: pulumi.Output<string>): AwsInfrastructure {
    const {
      cluster,
      child,
      order: { machines, loadBalancer, shared: settings },
    } = this;
    const login = new this.ec2.KeyPair(`${cluster}-login`, { keyName: cluster, publicKey, tags: this.tags() }, child);
    const { vpc, subnet, association } = this.createNetwork();
    const placement = spreadOverGroups(machines, GROUP_SIZE, (group) => this.createGroup(`${cluster}-${group}`));
    const { sshFrom: ssh, apiFrom: api } = settings;
    const ranges = { sshFrom: ssh, apiFrom: loadBalancer === true ? api : undefined };
    const groups = createSecurityGroups(this.sdk, { cluster, vpc, ...ranges, tags: this.tags(), parent: this });
    return { login, vpc, subnet, groups, placement, after: [association] };
  }

  protected createVm(
    { name, title, pool, role, userData, settings: { instanceType, image, diskGiB }, options }: VmPlan<Each>,
    { login, subnet, groups, placement }: AwsInfrastructure,
  ): Vm {
    const arch = archOf(instanceType);
    const placementGroup = placement.get(name)?.id;
    const instance = new this.ec2.Instance(
      name,
      {
        ami: this.findAmi(image, arch),
        instanceType,
        userData,
        subnetId: subnet.id,
        vpcSecurityGroupIds: [groups.nodes.id],
        keyName: login.keyName,
        // User data holds the host key. Pods, one hop further away than their node, must not read it.
        metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeSize: diskGiB, volumeType: "gp3", encrypted: true },
        tags: { ...this.tags(title), "kubewright.io/pool": pool, "kubewright.io/role": role },
        ...optional({ placementGroup }),
      },
      options,
    );
    return { host: instance.publicIp, privateAddress: instance.privateIp, arch, madeBy: instance };
  }

  protected createLoadBalancer(
    { vpc, subnet, groups, after }: AwsInfrastructure,
    controlPlanes: readonly BalancedMachine[],
  ): ApiLoadBalancer {
    const tags = this.tags();
    const plan = { vpc, subnet, group: groups.balancer ?? groups.nodes, tags, after, controlPlanes, parent: this };
    return createAwsLoadBalancer(this.sdk.lb, { cluster: this.cluster, ...plan });
  }

  private tags(title = this.cluster): Tags {
    return { Name: title, "kubewright.io/cluster": this.cluster };
  }

  /** Creates the VPC, and the subnet with its route to the internet. */
  private createNetwork() {
    const {
      cluster,
      child,
      order: {
        shared: { subnet: range, availabilityZone },
      },
    } = this;
    const tags = this.tags();
    const vpc = new this.ec2.Vpc(`${cluster}-vpc`, { cidrBlock: range, enableDnsHostnames: true, tags }, child);
    const gateway = new this.ec2.InternetGateway(`${cluster}-gateway`, { vpcId: vpc.id, tags }, child);
    const subnet = new this.ec2.Subnet(
      `${cluster}-subnet`,
      { vpcId: vpc.id, cidrBlock: range, mapPublicIpOnLaunch: true, tags, ...optional({ availabilityZone }) },
      child,
    );
    const table = new this.ec2.RouteTable(
      `${cluster}-routes`,
      { vpcId: vpc.id, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }], tags },
      child,
    );
    const association = new this.ec2.RouteTableAssociation(
      `${cluster}-way-out`,
      { routeTableId: table.id, subnetId: subnet.id },
      child,
    );
    return { vpc, subnet, association };
  }

  private createGroup(name: string): pulumi.CustomResource {
    return new this.ec2.PlacementGroup(name, { name, strategy: "spread", tags: this.tags() }, this.child);
  }

  private findAmi(image: string, arch: Arch): pulumi.Input<string> {
    const family = IMAGES[image];
    if (!family) return image;
    const filters = [
      { name: "name", values: [family.name(arch)] },
      { name: "virtualization-type", values: ["hvm"] },
    ];
    return this.ec2.getAmiOutput({ owners: [family.owner], mostRecent: true, filters }).apply(({ id }) => id);
  }
}

/** Graviton types have a `g` right after the generation. */
function archOf(instanceType: string): Arch {
  return /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "amd64";
}

export const awsKind = defineKind({
  name: "aws",
  makes: true,
  routed: true,
  hasLoadBalancer: true,
  shared,
  each,
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options) => new AwsMachines(cluster, order, options),
});
