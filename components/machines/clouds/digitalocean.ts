import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { cidr } from "../../fields/fields";
import { type Made, kind } from "../kind";
import type { Machine } from "../machine";
import { CLUSTER_PORTS, sshFrom } from "./user-data";
import { CloudMachines, type CloudOrder, type Ground, type Plan, type Vm } from "./cloud-machines";
import { type Args, type Class, load } from "./sdk";

type Inbound = { protocol: string; portRange?: string; sourceAddresses: string[] };
type Outbound = { protocol: string; portRange?: string; destinationAddresses: string[] };

/** What we use of @pulumi/digitalocean. */
export interface DigitalOceanSdk {
  SshKey: Class<Args<{ name: string }> & { publicKey: pulumi.Input<string> }, { fingerprint: pulumi.Output<string> }>;
  Vpc: Class<Args<{ name: string; ipRange: string }> & { region: string }>;
  Droplet: Class<
    Args<{
      name: string;
      region: string;
      vpcUuid: string;
      userData: string;
      sshKeys: pulumi.Input<string>[];
      tags: string[];
    }> & { image: string; size: string },
    { ipv4Address: pulumi.Output<string>; ipv4AddressPrivate: pulumi.Output<string> }
  >;
  Firewall: Class<
    Args<{ name: string; dropletIds: pulumi.Input<number>[]; inboundRules: Inbound[]; outboundRules: Outbound[] }>
  >;
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

type Shared = z.output<z.ZodObject<typeof shared>>;
type Each = z.output<z.ZodObject<typeof each>>;

interface DigitalOceanGround extends Ground {
  login: { fingerprint: pulumi.Output<string> };
  vpc: pulumi.CustomResource;
}

/** Droplets of DigitalOcean: in a VPC, behind a firewall that lets in SSH, and what nodes need of one another. */
export class DigitalOceanMachines extends CloudMachines<Shared, Each, DigitalOceanGround> {
  readonly machines: Machine[];
  protected readonly onlyAtBirth = ["userData", "image", "sshKeys"];
  private readonly sdk = load<DigitalOceanSdk>("@pulumi/digitalocean");
  private readonly droplets: pulumi.CustomResource[] = [];

  constructor(cluster: string, order: CloudOrder<Shared, Each>, options?: pulumi.ComponentResourceOptions) {
    super("DigitalOceanMachines", cluster, order, options);
    this.machines = this.build();
    this.firewall(this.droplets.map(({ id }) => id.apply(Number)));
    this.registerOutputs({});
  }

  protected ground(publicKey: pulumi.Output<string>): DigitalOceanGround {
    const {
      cluster,
      child,
      order: {
        shared: { region, subnet },
      },
    } = this;
    const login = new this.sdk.SshKey(`${cluster}-login`, { name: cluster, publicKey }, child);
    const vpc = new this.sdk.Vpc(`${cluster}-vpc`, { name: cluster, region, ipRange: subnet }, child);
    return { login, vpc, after: [vpc] };
  }

  protected vm(
    { name, title, pool, role, userData, settings, options }: Plan<Each>,
    { login, vpc }: DigitalOceanGround,
  ): Vm {
    const { region } = this.order.shared;
    const tags = [
      "kubewright",
      `kubewright-cluster:${this.cluster}`,
      `kubewright-pool:${pool}`,
      `kubewright-role:${role}`,
    ];
    const args = { name: title, region, ...settings, vpcUuid: vpc.id, userData, sshKeys: [login.fingerprint], tags };
    const droplet = new this.sdk.Droplet(name, args, options);
    this.droplets.push(droplet);
    return { address: droplet.ipv4Address, privateAddress: droplet.ipv4AddressPrivate, arch: "amd64", madeBy: droplet };
  }

  /** It is about the private side too. Without a rule nothing goes out. */
  private firewall(dropletIds: pulumi.Output<number>[]): void {
    const { subnet, sshFrom: sourceAddresses } = this.order.shared;
    const inboundRules: Inbound[] = [
      { protocol: "tcp", portRange: "22", sourceAddresses },
      { protocol: "icmp", sourceAddresses: EVERYWHERE },
      ...CLUSTER_PORTS.map(({ protocol, from, to }) => ({
        protocol,
        portRange: from === to ? String(from) : `${from}-${to}`,
        sourceAddresses: [subnet],
      })),
    ];
    const outboundRules: Outbound[] = [
      { protocol: "tcp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
      { protocol: "udp", portRange: "1-65535", destinationAddresses: EVERYWHERE },
      { protocol: "icmp", destinationAddresses: EVERYWHERE },
    ];
    new this.sdk.Firewall(
      `${this.cluster}-firewall`,
      { name: this.cluster, dropletIds, inboundRules, outboundRules },
      this.child,
    );
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
