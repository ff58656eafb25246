import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { addressIn } from "../../../render/cidr";
import { cidr } from "../../fields/fields";
import { roomIn, slotsOf } from "../docker-slots";
import { type Made, kind } from "../kind";
import type { Machine } from "../machine";
import { spread, sshFrom } from "./user-data";
import { CloudMachines, type CloudOrder, type Ground, type Plan, type Vm } from "./cloud-machines";
import { type Args, type Class, load } from "./sdk";

/** A placement group of type spread holds ten servers. https://docs.hetzner.com/cloud/placement-groups/overview */
const GROUP = 10;
/** Machine 0 of the network; Hetzner's gateway is the first address. */
const FIRST_OFFSET = 10;

type Labels = Record<string, string>;
type Rule = { direction: string; protocol: string; port?: string; sourceIps: string[]; description: string };

/** What we use of @pulumi/hcloud. */
export interface HcloudSdk {
  SshKey: Class<Args<{ name: string; publicKey: string; labels: Labels }>>;
  Network: Class<Args<{ name: string; labels: Labels }> & { ipRange: string }>;
  NetworkSubnet: Class<{ networkId: pulumi.Input<number>; type: string; networkZone: string; ipRange: string }>;
  Firewall: Class<Args<{ name: string; rules: Rule[]; labels: Labels }>>;
  PlacementGroup: Class<Args<{ name: string; labels: Labels }> & { type: string }>;
  Server: Class<
    Args<{
      name: string;
      serverType: string;
      image: string;
      location: string;
      userData: string;
      labels: Labels;
      placementGroupId?: number;
      sshKeys: pulumi.Input<string>[];
      firewallIds: pulumi.Input<number>[];
    }> & { networks: { networkId: pulumi.Input<number>; ip: string; aliasIps: string[] }[] },
    { ipv4Address: pulumi.Output<string> }
  >;
}

const shared = {
  /** The private network's range. */
  subnet: cidr.default("10.90.0.0/24"),
  networkZone: z.string().default("eu-central"),
  sshFrom,
};

const each = {
  /** `cax11` and its like are arm64, all others amd64. */
  serverType: z.string().default("cx23"),
  /** An image's name, the same for both architectures: `debian-12`, `ubuntu-24.04`, `fedora-42`. */
  image: z.string().default("debian-12"),
  /** In the network zone. */
  location: z.string().default("fsn1"),
};

type Shared = z.output<z.ZodObject<typeof shared>>;
type Each = z.output<z.ZodObject<typeof each>>;

interface HetznerGround extends Ground {
  login: pulumi.CustomResource;
  network: pulumi.CustomResource;
  firewall: pulumi.CustomResource;
  /** By machine. */
  groups: Map<string, pulumi.CustomResource>;
  addresses: Map<string, string>;
}

/** Servers of Hetzner Cloud: on a private network, behind a firewall that lets in SSH alone, those of a pool on different hosts. */
export class HetznerMachines extends CloudMachines<Shared, Each, HetznerGround> {
  readonly machines: Machine[];
  protected readonly onlyAtBirth = ["userData", "image", "sshKeys"];
  private readonly sdk = load<HcloudSdk>("@pulumi/hcloud");

  constructor(cluster: string, order: CloudOrder<Shared, Each>, options?: pulumi.ComponentResourceOptions) {
    super("HetznerMachines", cluster, order, options);
    this.machines = this.build();
    this.registerOutputs({});
  }

  protected ground(publicKey: pulumi.Output<string>): HetznerGround {
    const {
      cluster,
      child,
      order: {
        machines,
        shared: { subnet, networkZone },
      },
    } = this;
    const labels = this.labels();
    const login = new this.sdk.SshKey(`${cluster}-login`, { name: cluster, publicKey, labels }, child);
    const network = new this.sdk.Network(`${cluster}-network`, { name: cluster, ipRange: subnet, labels }, child);
    const part = new this.sdk.NetworkSubnet(
      `${cluster}-subnet`,
      { networkId: numberOf(network), type: "cloud", networkZone, ipRange: subnet },
      child,
    );
    const groups = spread(machines, GROUP, (group) => this.group(`${cluster}-${group}`));
    const slots = slotsOf(
      machines.map(({ name }) => name),
      roomIn(subnet),
    );
    const addresses = new Map([...slots].map(([name, slot]) => [name, addressIn(subnet, FIRST_OFFSET + slot)]));
    return { login, network, firewall: this.firewall(), groups, addresses, after: [part] };
  }

  protected vm(
    { name, title, pool, role, userData, settings, options }: Plan<Each>,
    { login, network, firewall, groups, addresses }: HetznerGround,
  ): Vm {
    const privateAddress = addresses.get(name) ?? "";
    const group = groups.get(name);
    const server = new this.sdk.Server(
      name,
      {
        name: title,
        ...settings,
        userData,
        labels: { ...this.labels(), "kubewright.io/pool": pool, "kubewright.io/role": role },
        sshKeys: [login.id],
        firewallIds: [numberOf(firewall)],
        networks: [{ networkId: numberOf(network), ip: privateAddress, aliasIps: [] }],
        ...(group ? { placementGroupId: numberOf(group) } : {}),
      },
      options,
    );
    return { address: server.ipv4Address, privateAddress, arch: archOf(settings.serverType), madeBy: server };
  }

  private group(name: string): pulumi.CustomResource {
    return new this.sdk.PlacementGroup(name, { name, type: "spread", labels: this.labels() }, this.child);
  }

  private labels(): Labels {
    return { "kubewright.io/cluster": this.cluster };
  }

  /** It is about the public side alone; the private network is the nodes' own. */
  private firewall(): pulumi.CustomResource {
    const sourceIps = this.order.shared.sshFrom;
    const rules: Rule[] = [
      { direction: "in", protocol: "tcp", port: "22", sourceIps, description: "SSH" },
      { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"], description: "path MTU and ping" },
    ];
    return new this.sdk.Firewall(
      `${this.cluster}-firewall`,
      { name: this.cluster, rules, labels: this.labels() },
      this.child,
    );
  }
}

function archOf(serverType: string): "amd64" | "arm64" {
  return serverType.startsWith("cax") ? "arm64" : "amd64";
}

/** Hetzner's ids are numbers, and Pulumi's are text. */
function numberOf(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply(Number);
}

export const hetznerKind = kind({
  name: "hetzner",
  makes: true,
  routed: true,
  shared,
  each,
  ranges: ({ subnet }: { subnet?: string }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options): Made => new HetznerMachines(cluster, order, options),
});
