import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../../common/optional";
import { addressIn } from "../../../render/cidr";
import { cidr } from "../../fields/fields";
import type { ApiLoadBalancer } from "../api-load-balancer";
import { defineKind } from "../kind";
import type { Machine } from "../machine";
import { assignSlots, slotCount } from "../slots";
import { spreadOverGroups, sshFrom } from "./user-data";
import {
  type BalancedMachine,
  CloudMachines,
  type CloudMachinesArgs,
  type SharedInfrastructure,
  type Vm,
  type VmPlan,
} from "./cloud-machines";
import { type HcloudLoadBalancerSdk, createHetznerLoadBalancer } from "./hetzner-load-balancer";
import { type InputArgs, type ResourceType, loadSdk, numberOf } from "./sdk";

/**
 * Largest number of servers in a placement group of type spread.
 * https://docs.hetzner.com/cloud/placement-groups/overview
 */
const GROUP_SIZE = 10;
/** Offset of slot 0 in the subnet. The first address is Hetzner's gateway. */
const FIRST_OFFSET = 10;

type Labels = Record<string, string>;
type Rule = { direction: string; protocol: string; port?: string; sourceIps: string[]; description: string };

/** The part of @pulumi/hcloud that Kubewright uses. */
export interface HcloudSdk extends HcloudLoadBalancerSdk {
  SshKey: ResourceType<InputArgs<{ name: string; publicKey: string; labels: Labels }>>;
  Network: ResourceType<InputArgs<{ name: string; labels: Labels }> & { ipRange: string }>;
  NetworkSubnet: ResourceType<{ networkId: pulumi.Input<number>; type: string; networkZone: string; ipRange: string }>;
  Firewall: ResourceType<InputArgs<{ name: string; rules: Rule[]; labels: Labels }>>;
  PlacementGroup: ResourceType<InputArgs<{ name: string; labels: Labels }> & { type: string }>;
  Server: ResourceType<
    InputArgs<{
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
  /** Range of the private network. */
  subnet: cidr.default("10.90.0.0/24"),
  /** Network zone of the private network. */
  networkZone: z.string().default("eu-central"),
  /** Type of the load balancer, with `controlPlane.endpoint.kind: loadBalancer`. It limits targets and connections. */
  loadBalancerType: z.string().default("lb11"),
  /** Ranges from which the firewall allows connections to the SSH port. */
  sshFrom,
};

const each = {
  /** Server type. Types that begin with `cax` are arm64, all others amd64. */
  serverType: z.string().default("cx23"),
  /**
   * Name of the image, the same for both architectures: `debian-12`, `ubuntu-24.04`, `fedora-42`. A change does not
   * replace servers.
   */
  image: z.string().default("debian-12"),
  /** Location of the server, in the network zone. */
  location: z.string().default("fsn1"),
};

const shapes = { shared, each };
type Each = z.output<z.ZodObject<typeof each>>;

interface HetznerInfrastructure extends SharedInfrastructure {
  login: pulumi.CustomResource;
  network: pulumi.CustomResource;
  subnet: pulumi.CustomResource;
  firewall: pulumi.CustomResource;
  /** Placement groups by machine name. */
  groups: Map<string, pulumi.CustomResource>;
  /** Private addresses by machine name. */
  addresses: Map<string, string>;
}

/**
 * Servers of Hetzner Cloud on a private network, behind a firewall that only allows SSH and ICMP. Servers of a pool run
 * on different hosts. Needs the package `@pulumi/hcloud` and a token: `pulumi config set --secret hcloud:token`.
 *
 * @example
 * const { machines } = new HetznerMachines("ha", {
 *   machines: [{ name: "control-plane-1", role: "control-plane" }, { name: "worker-1" }, { name: "worker-2" }],
 *   settings: { serverType: "cx33" },
 *   folder: "/home/me/keys",
 * });
 */
export class HetznerMachines extends CloudMachines<typeof shared, typeof each, HetznerInfrastructure> {
  readonly machines: Machine[];
  protected readonly onlyAtCreation = ["userData", "image", "sshKeys"];
  private readonly sdk = loadSdk<HcloudSdk>("@pulumi/hcloud");

  constructor(
    cluster: string,
    args: CloudMachinesArgs<typeof shared, typeof each>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("HetznerMachines", cluster, shapes, args, options);
    this.machines = this.createMachines();
    this.registerOutputs({});
  }

  protected createInfrastructure(publicKey: pulumi.Output<string>): HetznerInfrastructure {
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
    const subnetResource = new this.sdk.NetworkSubnet(
      `${cluster}-subnet`,
      { networkId: numberOf(network), type: "cloud", networkZone, ipRange: subnet },
      child,
    );
    const groups = spreadOverGroups(machines, GROUP_SIZE, (group) => this.createGroup(`${cluster}-${group}`));
    const slots = assignSlots(
      machines.map(({ name }) => name),
      slotCount(subnet),
    );
    const addresses = new Map([...slots].map(([name, slot]) => [name, addressIn(subnet, FIRST_OFFSET + slot)]));
    const firewall = this.createFirewall();
    return { login, network, subnet: subnetResource, firewall, groups, addresses, after: [subnetResource] };
  }

  protected createVm(
    { name, title, pool, role, userData, settings, options }: VmPlan<Each>,
    { login, network, firewall, groups, addresses }: HetznerInfrastructure,
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
        ...optional({ placementGroupId: group && numberOf(group) }),
      },
      options,
    );
    return { host: server.ipv4Address, privateAddress, arch: archOf(settings.serverType), madeBy: server };
  }

  /** The load balancer is created where the first control plane is. */
  protected createLoadBalancer(
    { network, subnet: subnetResource }: HetznerInfrastructure,
    controlPlanes: readonly BalancedMachine[],
  ): ApiLoadBalancer {
    const { machines, shared: settings } = this.order;
    const first = machines.find(({ name }) => name === controlPlanes[0]?.name);
    return createHetznerLoadBalancer(this.sdk, {
      cluster: this.cluster,
      loadBalancerType: settings.loadBalancerType,
      location: first?.settings.location ?? "",
      labels: this.labels(),
      network,
      subnet: settings.subnet,
      subnetResource,
      controlPlanes,
      parent: this,
    });
  }

  private createGroup(name: string): pulumi.CustomResource {
    return new this.sdk.PlacementGroup(name, { name, type: "spread", labels: this.labels() }, this.child);
  }

  private labels(): Labels {
    return { "kubewright.io/cluster": this.cluster };
  }

  /** The firewall applies to public addresses only. Traffic in the private network is not filtered. */
  private createFirewall(): pulumi.CustomResource {
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

export const hetznerKind = defineKind({
  name: "hetzner",
  makes: true,
  routed: true,
  hasLoadBalancer: true,
  shared,
  each,
  ranges: ({ subnet }) => (subnet === undefined ? undefined : { subnet }),
  make: ({ cluster, ...order }, options) => new HetznerMachines(cluster, order, options),
});
