import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { SshKey } from "../../../provider/sdk/local";
import { cidr } from "../../fields/fields";
import { type Made, type Order, kind } from "../kind";
import type { Machine } from "../machine";
import { CLUSTER_PORTS, birthOf, bornMachine, clusterKey, spread, sshFrom, vmOptions } from "./boot";
import { type Args, type Class, load } from "./sdk";

/** A placement group of strategy spread holds seven instances per availability zone. */
const GROUP = 7;

type Tags = Record<string, string>;
type Id = pulumi.Input<string>;
type Rule = { protocol: string; fromPort: number; toPort: number; cidrBlocks?: string[]; self?: boolean; description?: string };

/** What we use of @pulumi/aws. */
export interface AwsSdk {
  ec2: {
    Vpc: Class<Args<{ cidrBlock: string; enableDnsHostnames: boolean; tags: Tags }>>;
    InternetGateway: Class<Args<{ vpcId: string; tags: Tags }>>;
    Subnet: Class<Args<{ cidrBlock: string; availabilityZone?: string; mapPublicIpOnLaunch: boolean; tags: Tags }> & { vpcId: Id }>;
    RouteTable: Class<{ vpcId: Id; routes: { cidrBlock: string; gatewayId: Id }[]; tags: Tags }>;
    RouteTableAssociation: Class<{ routeTableId: Id; subnetId: Id }>;
    SecurityGroup: Class<Args<{ name: string; description: string; vpcId: string; ingress: Rule[]; egress: Rule[]; tags: Tags }>>;
    KeyPair: Class<Args<{ keyName: string; tags: Tags }> & { publicKey: pulumi.Input<string> }, { keyName: pulumi.Output<string> }>;
    PlacementGroup: Class<Args<{ name: string; tags: Tags }> & { strategy: string }>;
    Instance: Class<
      Args<{
        ami: string; instanceType: string; subnetId: string; keyName: string; userData: string; placementGroup?: string; tags: Tags;
        vpcSecurityGroupIds: pulumi.Input<string>[];
        metadataOptions: { httpTokens: string; httpPutResponseHopLimit: number };
        rootBlockDevice: { volumeSize: number; volumeType: string; encrypted: boolean };
      }>,
      { publicIp: pulumi.Output<string>; privateIp: pulumi.Output<string> }
    >;
    getAmiOutput(args: { owners: string[]; mostRecent: boolean; filters: { name: string; values: string[] }[] }): pulumi.Output<{ id: string }>;
  };
}

type Arch = "amd64" | "arm64";

/** Who publishes a family's images, and under which names. */
const IMAGES: Record<string, { owner: string; name(arch: Arch): string }> = {
  "debian-12": { owner: "136693071363", name: (arch) => `debian-12-${arch}-*` },
  "ubuntu-24.04": { owner: "099720109477", name: (arch) => `ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-${arch}-server-*` },
  "fedora-42": { owner: "125523088429", name: (arch) => `Fedora-Cloud-Base-AmazonEC2.${arch === "arm64" ? "aarch64" : "x86_64"}-42-*` },
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

type AwsOrder = Order<z.output<z.ZodObject<typeof shared>>, z.output<z.ZodObject<typeof each>>>;

/** EC2 instances: in a VPC with one public subnet, in a security group that lets in SSH, and what nodes need of one another. */
export class AwsMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  private readonly ec2 = load<AwsSdk>("@pulumi/aws").ec2;
  private readonly key: SshKey;

  constructor(private readonly cluster: string, private readonly order: Omit<AwsOrder, "avoid" | "cluster">, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:AwsMachines", cluster, {}, options);
    const { machines, folder } = order;
    this.key = clusterKey(cluster, folder, this);
    const login = new this.ec2.KeyPair(`${cluster}-login`, { keyName: cluster, publicKey: this.key.publicKey, tags: this.tags() }, { parent: this });
    const { vpc, subnet, way } = this.reach();
    const group = this.securityGroup(vpc);
    const groups = spread(machines, GROUP, (one) => this.group(`${cluster}-${one}`));
    this.machines = machines.map(({ name, pool, role, settings: { instanceType, image, diskGiB } }) => {
      const birth = birthOf(name, this.key, this);
      const arch = archOf(instanceType);
      const placementGroup = groups.get(name)?.id;
      const instance = new this.ec2.Instance(
        name,
        {
          ami: this.ami(image, arch), instanceType,
          subnetId: subnet.id,
          vpcSecurityGroupIds: [group.id],
          keyName: login.keyName,
          userData: birth.userData,
          // A pod is one hop further away than its node: user data, which holds the host key, is not for pods.
          metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
          rootBlockDevice: { volumeSize: diskGiB, volumeType: "gp3", encrypted: true },
          tags: { ...this.tags(name), "kubewright.io/pool": pool, "kubewright.io/role": role },
          ...(placementGroup ? { placementGroup } : {}),
        },
        vmOptions(this, [way], ["userData", "ami"], name, order.turns),
      );
      return bornMachine(name, this.key, birth, { address: instance.publicIp, privateAddress: instance.privateIp, arch, madeBy: instance });
    });
    this.registerOutputs({});
  }

  private tags(name?: string): Tags {
    return { Name: name === undefined ? this.cluster : `${this.cluster}-${name}`, "kubewright.io/cluster": this.cluster };
  }

  private reach() {
    const { cluster, order: { shared: { subnet: range, availabilityZone } } } = this;
    const [child, tags] = [{ parent: this }, this.tags()];
    const vpc = new this.ec2.Vpc(`${cluster}-vpc`, { cidrBlock: range, enableDnsHostnames: true, tags }, child);
    const gateway = new this.ec2.InternetGateway(`${cluster}-gateway`, { vpcId: vpc.id, tags }, child);
    const zone = availabilityZone === undefined ? {} : { availabilityZone };
    const subnet = new this.ec2.Subnet(`${cluster}-subnet`, { vpcId: vpc.id, cidrBlock: range, mapPublicIpOnLaunch: true, tags, ...zone }, child);
    const table = new this.ec2.RouteTable(`${cluster}-routes`, { vpcId: vpc.id, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }], tags }, child);
    const way = new this.ec2.RouteTableAssociation(`${cluster}-way-out`, { routeTableId: table.id, subnetId: subnet.id }, child);
    return { vpc, subnet, way };
  }

  private securityGroup(vpc: pulumi.CustomResource): pulumi.CustomResource {
    const { cluster, order: { shared: { sshFrom: cidrBlocks } } } = this;
    const ingress: Rule[] = [
      { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks, description: "SSH" },
      { protocol: "icmp", fromPort: -1, toPort: -1, cidrBlocks: ["0.0.0.0/0"], description: "path MTU and ping" },
      ...CLUSTER_PORTS.map(({ protocol, from, to, why }) => ({ protocol, fromPort: from, toPort: to, self: true, description: why })),
    ];
    const egress: Rule[] = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];
    const description = `Kubernetes nodes of ${cluster}`;
    return new this.ec2.SecurityGroup(`${cluster}-nodes`, { name: `${cluster}-nodes`, description, vpcId: vpc.id, ingress, egress, tags: this.tags() }, { parent: this });
  }

  private group(name: string): pulumi.CustomResource {
    return new this.ec2.PlacementGroup(name, { name, strategy: "spread", tags: this.tags() }, { parent: this });
  }

  private ami(image: string, arch: Arch): pulumi.Input<string> {
    const family = IMAGES[image];
    if (!family) return image;
    const filters = [{ name: "name", values: [family.name(arch)] }, { name: "virtualization-type", values: ["hvm"] }];
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
