import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { SshKey } from "../../../provider/sdk/local";
import { cidr } from "../../fields/fields";
import { type Made, type Order, kind } from "../kind";
import type { Machine } from "../machine";
import { CLUSTER_PORTS, birthOf, bornMachine, clusterKey, sshFrom, vmOptions } from "./boot";
import { type Args, type Class, load } from "./sdk";

type Inbound = { protocol: string; portRange?: string; sourceAddresses: string[] };
type Outbound = { protocol: string; portRange?: string; destinationAddresses: string[] };

/** What we use of @pulumi/digitalocean. */
export interface DigitalOceanSdk {
  SshKey: Class<Args<{ name: string }> & { publicKey: pulumi.Input<string> }, { fingerprint: pulumi.Output<string> }>;
  Vpc: Class<Args<{ name: string; ipRange: string }> & { region: string }>;
  Droplet: Class<
    Args<{ name: string; region: string; vpcUuid: string; userData: string; sshKeys: pulumi.Input<string>[]; tags: string[] }> & { image: string; size: string },
    { ipv4Address: pulumi.Output<string>; ipv4AddressPrivate: pulumi.Output<string> }
  >;
  Firewall: Class<Args<{ name: string; dropletIds: pulumi.Input<number>[]; inboundRules: Inbound[]; outboundRules: Outbound[] }>>;
}

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

const shared = {
  /** The private network's range. */
  subnet: cidr.default("10.91.0.0/24"),
  region: z.string().default("fra1"),
  sshFrom,
};

const each = {
  size: z.string().default("s-2vcpu-4gb"),
  /** A distribution image's slug: `debian-12-x64`, `ubuntu-24-04-x64`, `fedora-42-x64`. There are none for arm64. */
  image: z.string().default("debian-12-x64"),
};

type DigitalOceanOrder = Order<z.output<z.ZodObject<typeof shared>>, z.output<z.ZodObject<typeof each>>>;

/** Droplets of DigitalOcean: in a VPC, behind a firewall that lets in SSH, and what nodes need of one another. */
export class DigitalOceanMachines extends pulumi.ComponentResource {
  readonly machines: Machine[];
  private readonly sdk = load<DigitalOceanSdk>("@pulumi/digitalocean");
  private readonly key: SshKey;

  constructor(private readonly cluster: string, private readonly order: Omit<DigitalOceanOrder, "avoid" | "cluster">, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:DigitalOceanMachines", cluster, {}, options);
    const { machines, folder, shared: { region, subnet } } = order;
    this.key = clusterKey(cluster, folder, this);
    const login = new this.sdk.SshKey(`${cluster}-login`, { name: cluster, publicKey: this.key.publicKey }, { parent: this });
    const vpc = new this.sdk.Vpc(`${cluster}-vpc`, { name: cluster, region, ipRange: subnet }, { parent: this });
    const made = machines.map(({ name, pool, role, settings: { size, image } }) => {
      const birth = birthOf(name, this.key, this);
      const droplet = new this.sdk.Droplet(
        name,
        {
          name: `${cluster}-${name}`, region, size, image,
          vpcUuid: vpc.id,
          userData: birth.userData,
          sshKeys: [login.fingerprint],
          tags: ["kubewright", `kubewright-cluster:${cluster}`, `kubewright-pool:${pool}`, `kubewright-role:${role}`],
        },
        vmOptions(this, [vpc], ["userData", "image", "sshKeys"], name, order.turns),
      );
      const where = { address: droplet.ipv4Address, privateAddress: droplet.ipv4AddressPrivate, arch: "amd64" as const, madeBy: droplet };
      return { droplet, machine: bornMachine(name, this.key, birth, where) };
    });
    this.machines = made.map(({ machine }) => machine);
    this.firewall(made.map(({ droplet }) => droplet.id.apply(Number)));
    this.registerOutputs({});
  }

  /** It is about the private side too. Without a rule nothing goes out. */
  private firewall(dropletIds: pulumi.Output<number>[]): void {
    const { subnet, sshFrom: sourceAddresses } = this.order.shared;
    const inboundRules: Inbound[] = [
      { protocol: "tcp", portRange: "22", sourceAddresses },
      { protocol: "icmp", sourceAddresses: EVERYWHERE },
      ...CLUSTER_PORTS.map(({ protocol, from, to }) => ({ protocol, portRange: from === to ? String(from) : `${from}-${to}`, sourceAddresses: [subnet] })),
    ];
    const outboundRules: Outbound[] = [
      { protocol: "tcp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
      { protocol: "udp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
      { protocol: "icmp", destinationAddresses: EVERYWHERE },
    ];
    new this.sdk.Firewall(`${this.cluster}-firewall`, { name: this.cluster, dropletIds, inboundRules, outboundRules }, { parent: this });
  }
}

export const digitaloceanKind = kind({
  name: "digitalocean",
  makes: true,
  routed: true,
  shared,
  each,
  ranges: ({ subnet }: { subnet?: string }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options): Made => new DigitalOceanMachines(cluster, order, options),
});
