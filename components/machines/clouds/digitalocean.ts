import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { cidr } from "../../fields/fields";
import { optional } from "../../../common/optional";
import { API_PORT, type ApiLoadBalancer } from "../api-load-balancer";
import { defineKind } from "../kind";
import type { Machine } from "../machine";
import { CLUSTER_PORTS, apiFrom, sshFrom } from "./user-data";
import {
  type BalancedMachine,
  CloudMachines,
  type CloudMachinesArgs,
  type SharedInfrastructure,
  type Vm,
  type VmPlan,
} from "./cloud-machines";
import { type DigitalOceanLoadBalancerSdk, createDigitalOceanLoadBalancer } from "./digitalocean-load-balancer";
import { type InputArgs, type ResourceType, loadSdk, numberOf } from "./sdk";

type Inbound = { protocol: string; portRange?: string; sourceAddresses: string[] } & {
  sourceLoadBalancerUids?: pulumi.Input<string>[];
};
type Outbound = { protocol: string; portRange?: string; destinationAddresses: string[] };

/** The part of @pulumi/digitalocean that Kubewright uses. */
export interface DigitalOceanSdk extends DigitalOceanLoadBalancerSdk {
  SshKey: ResourceType<
    InputArgs<{ name: string }> & { publicKey: pulumi.Input<string> },
    { fingerprint: pulumi.Output<string> }
  >;
  Vpc: ResourceType<InputArgs<{ name: string; ipRange: string }> & { region: string }>;
  Droplet: ResourceType<
    InputArgs<{
      name: string;
      region: string;
      vpcUuid: string;
      userData: string;
      sshKeys: pulumi.Input<string>[];
      tags: string[];
    }> & { image: string; size: string },
    { ipv4Address: pulumi.Output<string>; ipv4AddressPrivate: pulumi.Output<string> }
  >;
  Firewall: ResourceType<
    InputArgs<{ name: string; dropletIds: pulumi.Input<number>[]; inboundRules: Inbound[]; outboundRules: Outbound[] }>
  >;
}

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

const shared = {
  /** Range of the VPC. */
  subnet: cidr.default("10.91.0.0/24"),
  /** Region of the VPC and the droplets. */
  region: z.string().default("fra1"),
  /** Ranges from which the firewall allows connections to the SSH port. */
  sshFrom,
  /** Ranges from which clients may connect to the load balancer, with `controlPlane.endpoint.kind: loadBalancer`. */
  apiFrom,
};

const each = {
  /** Size of the droplet, as its slug. */
  size: z.string().default("s-2vcpu-4gb"),
  /**
   * Slug of the image: `debian-12-x64`, `ubuntu-24-04-x64`, `fedora-42-x64`. All are amd64. A change does not replace
   * droplets.
   */
  image: z.string().default("debian-12-x64"),
};

const shapes = { shared, each };
type Each = z.output<z.ZodObject<typeof each>>;

interface DigitalOceanInfrastructure extends SharedInfrastructure {
  login: { fingerprint: pulumi.Output<string> };
  vpc: pulumi.CustomResource;
}

/**
 * Droplets of DigitalOcean in a VPC, behind a firewall that allows SSH, ICMP, and the cluster's own ports inside the
 * VPC. Needs the package `@pulumi/digitalocean` and a token: `pulumi config set --secret digitalocean:token`.
 *
 * @example
 * const { machines } = new DigitalOceanMachines("dev", {
 *   machines: [{ name: "control-plane-1", role: "control-plane" }, { name: "worker-1" }],
 *   folder: "/home/me/keys",
 * });
 */
export class DigitalOceanMachines extends CloudMachines<typeof shared, typeof each, DigitalOceanInfrastructure> {
  readonly machines: Machine[];
  protected readonly onlyAtCreation = ["userData", "image", "sshKeys"];
  private readonly sdk = loadSdk<DigitalOceanSdk>("@pulumi/digitalocean");
  private readonly droplets: pulumi.CustomResource[] = [];
  private balancerIds: pulumi.Output<string>[] | undefined;

  constructor(
    cluster: string,
    args: CloudMachinesArgs<typeof shared, typeof each>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("DigitalOceanMachines", cluster, shapes, args, options);
    this.machines = this.createMachines();
    this.createFirewall(this.droplets.map(numberOf));
    this.registerOutputs({});
  }

  protected createInfrastructure(publicKey: pulumi.Output<string>): DigitalOceanInfrastructure {
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

  protected createVm(
    { name, title, pool, role, userData, settings, options }: VmPlan<Each>,
    { login, vpc }: DigitalOceanInfrastructure,
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
    return { host: droplet.ipv4Address, privateAddress: droplet.ipv4AddressPrivate, arch: "amd64", madeBy: droplet };
  }

  protected createLoadBalancer(
    { vpc }: DigitalOceanInfrastructure,
    controlPlanes: readonly BalancedMachine[],
  ): ApiLoadBalancer {
    const { region, apiFrom: ranges } = this.order.shared;
    const plan = { cluster: this.cluster, region, vpc, apiFrom: ranges, controlPlanes, parent: this };
    const { balancer, id } = createDigitalOceanLoadBalancer(this.sdk, plan);
    this.balancerIds = [id];
    return balancer;
  }

  /**
   * The firewall also applies to traffic in the VPC. Without outbound rules the droplets could not connect to
   * anything.
   */
  private createFirewall(dropletIds: pulumi.Output<number>[]): void {
    const { subnet, sshFrom: sourceAddresses } = this.order.shared;
    const inboundRules: Inbound[] = [
      { protocol: "tcp", portRange: "22", sourceAddresses },
      { protocol: "icmp", sourceAddresses: EVERYWHERE },
      ...CLUSTER_PORTS.map(({ protocol, from, to }) => ({
        protocol,
        portRange: from === to ? String(from) : `${from}-${to}`,
        sourceAddresses: [subnet],
        ...(from === API_PORT ? optional({ sourceLoadBalancerUids: this.balancerIds }) : {}),
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

export const digitaloceanKind = defineKind({
  name: "digitalocean",
  makes: true,
  routed: true,
  hasLoadBalancer: true,
  shared,
  each,
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options) => new DigitalOceanMachines(cluster, order, options),
});
