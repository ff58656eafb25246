import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { SshKey } from "../../../provider/sdk/local";
import { addressIn } from "../../../render/cidr";
import { cidr } from "../../fields/fields";
import { roomIn, slotsOf } from "../docker-slots";
import { type Made, type Order, kind } from "../kind";
import type { Machine } from "../machine";
import { birthOf, bornMachine, clusterKey, spread, sshFrom, vmOptions } from "./boot";
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
      name: string; serverType: string; image: string; location: string; userData: string; labels: Labels; placementGroupId?: number;
      sshKeys: pulumi.Input<string>[]; firewallIds: pulumi.Input<number>[];
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

type HetznerOrder = Order<z.output<z.ZodObject<typeof shared>>, z.output<z.ZodObject<typeof each>>>;

/** Servers of Hetzner Cloud: on a private network, behind a firewall that lets in SSH alone, those of a pool on different hosts. */
export class HetznerMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  private readonly sdk = load<HcloudSdk>("@pulumi/hcloud");
  private readonly key: SshKey;

  constructor(private readonly cluster: string, private readonly order: Omit<HetznerOrder, "avoid" | "cluster">, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:HetznerMachines", cluster, {}, options);
    const { machines, folder, shared: { subnet } } = order;
    this.key = clusterKey(cluster, folder, this);
    const login = new this.sdk.SshKey(`${cluster}-login`, { name: cluster, publicKey: this.key.publicKey, labels: this.labels() }, { parent: this });
    const network = new this.sdk.Network(`${cluster}-network`, { name: cluster, ipRange: subnet, labels: this.labels() }, { parent: this });
    const part = new this.sdk.NetworkSubnet(`${cluster}-subnet`, this.subnetArgs(network), { parent: this });
    const firewall = this.firewall();
    const groups = spread(machines, GROUP, (group) => this.group(`${cluster}-${group}`));
    const slots = slotsOf(machines.map(({ name }) => name), roomIn(subnet));
    this.machines = machines.map(({ name, pool, role, settings: { serverType, image, location } }) => {
      const birth = birthOf(name, this.key, this);
      const privateAddress = addressIn(subnet, FIRST_OFFSET + (slots.get(name) ?? 0));
      const group = groups.get(name);
      const server = new this.sdk.Server(
        name,
        {
          name: `${cluster}-${name}`, serverType, image, location,
          userData: birth.userData,
          labels: { ...this.labels(), "kubewright.io/pool": pool, "kubewright.io/role": role },
          sshKeys: [login.id],
          firewallIds: [numberOf(firewall)],
          networks: [{ networkId: numberOf(network), ip: privateAddress, aliasIps: [] }],
          ...(group ? { placementGroupId: numberOf(group) } : {}),
        },
        vmOptions(this, [part], ["userData", "image", "sshKeys"], name, order.turns),
      );
      return bornMachine(name, this.key, birth, { address: server.ipv4Address, privateAddress, arch: archOf(serverType), madeBy: server });
    });
    this.registerOutputs({});
  }

  private group(name: string): pulumi.CustomResource {
    return new this.sdk.PlacementGroup(name, { name, type: "spread", labels: this.labels() }, { parent: this });
  }

  private labels(): Labels {
    return { "kubewright.io/cluster": this.cluster };
  }

  private subnetArgs(network: pulumi.CustomResource) {
    const { subnet, networkZone } = this.order.shared;
    return { networkId: numberOf(network), type: "cloud", networkZone, ipRange: subnet };
  }

  /** It is about the public side alone; the private network is the nodes' own. */
  private firewall(): pulumi.CustomResource {
    const sourceIps = this.order.shared.sshFrom;
    const rules: Rule[] = [
      { direction: "in", protocol: "tcp", port: "22", sourceIps, description: "SSH" },
      { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"], description: "path MTU and ping" },
    ];
    return new this.sdk.Firewall(`${this.cluster}-firewall`, { name: this.cluster, rules, labels: this.labels() }, { parent: this });
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
