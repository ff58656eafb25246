import * as pulumi from "@pulumi/pulumi";
import type { Runtime } from "../common/runtime";
import type { HostFacts } from "../render/facts";
import type { Leaver } from "../render/leftovers";
import type { ConnectionArgs, OnMachineArgs } from "./connection";
import { filesContract } from "../contracts/host/files";
import { unitContract } from "../contracts/host/unit";
import type { Health } from "../contracts/health";
import { inPlace } from "./in-place";
import { type Args, resourceClass } from "./resource";

export interface HostArgs {
  connection: pulumi.Input<ConnectionArgs>;
  /** Seconds in which the machine may boot before it answers for the first time; default 45. */
  bootTimeout?: number;
}

/** A machine's facts, identity and pinned host key. */
export class Host extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<HostFacts>;
  declare readonly instance: pulumi.Output<string>;
  declare readonly hostKey: pulumi.Output<string>;
  /** Of the jump hosts, the nearest to the machine first; absent in what an older version recorded. */
  declare readonly jumpHostKeys: pulumi.Output<string[] | undefined>;
  constructor(name: string, args: HostArgs, options?: pulumi.CustomResourceOptions) {
    super(
      "kubewright:host:Host",
      name,
      { facts: undefined, instance: undefined, hostKey: undefined, jumpHostKeys: undefined, ...args },
      inPlace(options),
    );
  }
}

export interface PackagesArgs extends OnMachineArgs {
  packages: pulumi.Input<string[]>;
  osFamily: pulumi.Input<HostFacts["osFamily"]>;
  /** A program that makes the packages unnecessary where the machine has it already. */
  unlessProgram?: string;
}

/** The distribution's packages. */
export class Packages extends pulumi.CustomResource {
  constructor(name: string, args: PackagesArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Packages", name, args, inPlace(options));
  }
}

export interface KernelArgs extends OnMachineArgs {
  modules: pulumi.Input<string[]>;
  sysctls: pulumi.Input<Record<string, string>>;
  /** Swap is to be off. */
  swapOff?: pulumi.Input<boolean>;
}

/** Kernel modules and sysctls. */
export class Kernel extends pulumi.CustomResource {
  constructor(name: string, args: KernelArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Kernel", name, args, inPlace(options));
  }
}

export interface BinariesArgs extends OnMachineArgs {
  /** Path on the machine to SHA-256. */
  files: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** SHA-256 to path on the controller. */
  sources: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Executables from the controller's cache. */
export class Binaries extends pulumi.CustomResource {
  constructor(name: string, args: BinariesArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Binaries", name, args, inPlace(options));
  }
}

export interface FileArgs {
  content: pulumi.Input<string>;
  /** Octal: `0644`. */
  mode: pulumi.Input<string>;
}

export type FilesArgs = Args<typeof filesContract>;

/** Text files on a machine, owned by root. */
export class Files extends resourceClass(filesContract) {}

export type UnitArgs = Args<typeof unitContract>;

/** A systemd unit with its files. */
export class Unit extends resourceClass(unitContract) {}

/** An HTTP endpoint on the machine's loopback interface that answers 200 when the service is healthy. */
export type HealthArgs = Health;

export interface ImagesArgs extends OnMachineArgs {
  archives: pulumi.Input<Record<string, pulumi.Input<{ sha256: pulumi.Input<string>; refs: pulumi.Input<string[]> }>>>;
  sources: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Images that the machine pulls by itself. */
  pull: pulumi.Input<string[]>;
  /** Whose images they are. Default containerd. */
  runtime?: Runtime;
}

/** Container images, brought to a machine. */
export class Images extends pulumi.CustomResource {
  constructor(name: string, args: ImagesArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Images", name, args, inPlace(options));
  }
}

export interface StaticPodArgs extends FilesArgs {
  /** The node's name. */
  node: string;
  manifest: pulumi.Input<object>;
  health?: HealthArgs;
  /** Folders that go with it. */
  state: string[];
}

/** A pod that a machine's kubelet runs from its folder, with the files that it reads. */
export class StaticPod extends pulumi.CustomResource {
  constructor(name: string, args: StaticPodArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:StaticPod", name, args, inPlace(options));
  }
}

export interface RemainsArgs extends OnMachineArgs {
  of: Leaver;
}

/** What somebody leaves on a machine: taken off when this is deleted, which is after whatever depends on it. */
export class Remains extends pulumi.CustomResource {
  constructor(name: string, args: RemainsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Remains", name, args, inPlace(options));
  }
}

export interface FirewallArgs extends OnMachineArgs {
  /** `6443/tcp`, `30000-32767/udp` */
  ports: pulumi.Input<string[]>;
  /** CIDRs of pods and services. */
  ranges: pulumi.Input<string[]>;
}

/** What a node needs in the firewall (firewalld, ufw) that is active on its machine; nothing where none is. */
export class Firewall extends pulumi.CustomResource {
  /** `firewalld`, `ufw` or `none` */
  declare readonly firewall: pulumi.Output<string>;
  constructor(name: string, args: FirewallArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Firewall", name, { firewall: undefined, ...args }, inPlace(options));
  }
}

export interface HostsArgs extends OnMachineArgs {
  /** Name to address. */
  entries: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The cluster's machines in /etc/hosts, in a block of our own. */
export class Hosts extends pulumi.CustomResource {
  constructor(name: string, args: HostsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Hosts", name, args, inPlace(options));
  }
}
