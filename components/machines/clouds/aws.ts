import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { cidr } from "../../fields/fields";
import { type Made, kind } from "../kind";
import type { Machine } from "../machine";
import { CLUSTER_PORTS, spread, sshFrom } from "./user-data";
import { CloudMachines, type CloudOrder, type Ground, type Plan, type Vm } from "./cloud-machines";
import { type Args, type Class, load } from "./sdk";

/** A placement group of strategy spread holds seven instances per availability zone. */
const GROUP = 7;

type Tags = Record<string, string>;
type Id = pulumi.Input<string>;
type Rule = {
  protocol: string;
  fromPort: number;
  toPort: number;
  cidrBlocks?: string[];
  self?: boolean;
  description?: string;
};

/** What we use of @pulumi/aws. */
export interface AwsSdk {
  ec2: {
    Vpc: Class<Args<{ cidrBlock: string; enableDnsHostnames: boolean; tags: Tags }>>;
    InternetGateway: Class<Args<{ vpcId: string; tags: Tags }>>;
    Subnet: Class<
      Args<{ cidrBlock: string; availabilityZone?: string; mapPublicIpOnLaunch: boolean; tags: Tags }> & { vpcId: Id }
    >;
    RouteTable: Class<{ vpcId: Id; routes: { cidrBlock: string; gatewayId: Id }[]; tags: Tags }>;
    RouteTableAssociation: Class<{ routeTableId: Id; subnetId: Id }>;
    SecurityGroup: Class<
      Args<{ name: string; description: string; vpcId: string; ingress: Rule[]; egress: Rule[]; tags: Tags }>
    >;
    KeyPair: Class<
      Args<{ keyName: string; tags: Tags }> & { publicKey: pulumi.Input<string> },
      { keyName: pulumi.Output<string> }
    >;
    PlacementGroup: Class<Args<{ name: string; tags: Tags }> & { strategy: string }>;
    Instance: Class<
      Args<{
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

type Arch = "amd64" | "arm64";

/** Who publishes a family's images, and under which names. */
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
  /** The private network's range. */
  subnet: cidr.default("10.92.0.0/24"),
  /** Absent: one that AWS chooses, in the region of aws:region. */
  availabilityZone: z.string().optional(),
  sshFrom,
};

const each = {
  /** `t4g`, `m7g` and their like are arm64, all others amd64. */
  instanceType: z.string().default("t3.medium"),
  /** A family, of which the newest is taken: `debian-12`, `ubuntu-24.04`, `fedora-42`; or an AMI's id. */
  image: z.union([z.enum(Object.keys(IMAGES)), z.string().regex(/^ami-[0-9a-f]+$/)]).default("debian-12"),
  diskGiB: z.int().min(8).default(30),
};

type Shared = z.output<z.ZodObject<typeof shared>>;
type Each = z.output<z.ZodObject<typeof each>>;

interface AwsGround extends Ground {
  login: { keyName: pulumi.Output<string> };
  subnet: pulumi.CustomResource;
  group: pulumi.CustomResource;
  /** By machine. */
  placement: Map<string, pulumi.CustomResource>;
}

/** EC2 instances: in a VPC with one public subnet, in a security group that lets in SSH, and what nodes need of one another. */
export class AwsMachines extends CloudMachines<Shared, Each, AwsGround> {
  readonly machines: Machine[];
  protected readonly onlyAtBirth = ["userData", "ami"];
  private readonly ec2 = load<AwsSdk>("@pulumi/aws").ec2;

  constructor(cluster: string, order: CloudOrder<Shared, Each>, options?: pulumi.ComponentResourceOptions) {
    super("AwsMachines", cluster, order, options);
    this.machines = this.build();
    this.registerOutputs({});
  }

  protected ground(publicKey: pulumi.Output<string>): AwsGround {
    const {
      cluster,
      child,
      order: { machines },
    } = this;
    const login = new this.ec2.KeyPair(`${cluster}-login`, { keyName: cluster, publicKey, tags: this.tags() }, child);
    const { vpc, subnet, way } = this.reach();
    const placement = spread(machines, GROUP, (one) => this.group(`${cluster}-${one}`));
    return { login, subnet, group: this.securityGroup(vpc), placement, after: [way] };
  }

  protected vm(
    { name, title, pool, role, userData, settings: { instanceType, image, diskGiB }, options }: Plan<Each>,
    { login, subnet, group, placement }: AwsGround,
  ): Vm {
    const arch = archOf(instanceType);
    const placementGroup = placement.get(name)?.id;
    const instance = new this.ec2.Instance(
      name,
      {
        ami: this.ami(image, arch),
        instanceType,
        userData,
        subnetId: subnet.id,
        vpcSecurityGroupIds: [group.id],
        keyName: login.keyName,
        // A pod is one hop further away than its node: user data, which holds the host key, is not for pods.
        metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeSize: diskGiB, volumeType: "gp3", encrypted: true },
        tags: { ...this.tags(title), "kubewright.io/pool": pool, "kubewright.io/role": role },
        ...(placementGroup ? { placementGroup } : {}),
      },
      options,
    );
    return { address: instance.publicIp, privateAddress: instance.privateIp, arch, madeBy: instance };
  }

  private tags(title = this.cluster): Tags {
    return { Name: title, "kubewright.io/cluster": this.cluster };
  }

  private reach() {
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
    const zone = availabilityZone === undefined ? {} : { availabilityZone };
    const subnet = new this.ec2.Subnet(
      `${cluster}-subnet`,
      { vpcId: vpc.id, cidrBlock: range, mapPublicIpOnLaunch: true, tags, ...zone },
      child,
    );
    const table = new this.ec2.RouteTable(
      `${cluster}-routes`,
      { vpcId: vpc.id, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }], tags },
      child,
    );
    const way = new this.ec2.RouteTableAssociation(
      `${cluster}-way-out`,
      { routeTableId: table.id, subnetId: subnet.id },
      child,
    );
    return { vpc, subnet, way };
  }

  private securityGroup(vpc: pulumi.CustomResource): pulumi.CustomResource {
    const {
      cluster,
      order: {
        shared: { sshFrom: cidrBlocks },
      },
    } = this;
    const ingress: Rule[] = [
      { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks, description: "SSH" },
      { protocol: "icmp", fromPort: -1, toPort: -1, cidrBlocks: ["0.0.0.0/0"], description: "path MTU and ping" },
      ...CLUSTER_PORTS.map(({ protocol, from, to, why }) => ({
        protocol,
        fromPort: from,
        toPort: to,
        self: true,
        description: why,
      })),
    ];
    const egress: Rule[] = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];
    const description = `Kubernetes nodes of ${cluster}`;
    return new this.ec2.SecurityGroup(
      `${cluster}-nodes`,
      { name: `${cluster}-nodes`, description, vpcId: vpc.id, ingress, egress, tags: this.tags() },
      this.child,
    );
  }

  private group(name: string): pulumi.CustomResource {
    return new this.ec2.PlacementGroup(name, { name, strategy: "spread", tags: this.tags() }, this.child);
  }

  private ami(image: string, arch: Arch): pulumi.Input<string> {
    const family = IMAGES[image];
    if (!family) return image;
    const filters = [
      { name: "name", values: [family.name(arch)] },
      { name: "virtualization-type", values: ["hvm"] },
    ];
    return this.ec2.getAmiOutput({ owners: [family.owner], mostRecent: true, filters }).apply(({ id }) => id);
  }
}

/** Graviton: a `g` right after the generation. */
function archOf(instanceType: string): Arch {
  return /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "amd64";
}

export const awsKind = kind({
  name: "aws",
  makes: true,
  routed: true,
  shared,
  each,
  ranges: ({ subnet }: { subnet?: string }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options): Made => new AwsMachines(cluster, order, options),
});
