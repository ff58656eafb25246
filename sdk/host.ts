import * as pulumi from "@pulumi/pulumi";
import type { Runtime } from "../common/runtime";
import type { HostFacts } from "../render/facts";
import type { Leaver } from "../render/leftovers";
import type { ConnectionArgs, OnHostArgs } from "./connection";
import { inPlace } from "./in-place";

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

export interface PackagesArgs extends OnHostArgs {
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

export interface KernelArgs extends OnHostArgs {
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

export interface BinariesArgs extends OnHostArgs {
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

export interface FilesArgs extends OnHostArgs {
  files: pulumi.Input<Record<string, pulumi.Input<FileArgs>>>;
}

/** Text files on a machine. */
export class Files extends pulumi.CustomResource {
  constructor(name: string, args: FilesArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Files", name, args, inPlace(options));
  }
}

export interface UnitArgs extends FilesArgs {
  unit: pulumi.Input<string>;
  enabled: pulumi.Input<boolean>;
  running: pulumi.Input<boolean>;
  /** The unit is started only once this file exists. */
  startWhenExists?: pulumi.Input<string>;
  /** Values whose change restarts the unit. */
  restartOn?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  health?: HealthArgs;
  /** Folders that only this unit fills: they go with it. */
  state?: pulumi.Input<string[]>;
}

/** Where something says, on its machine, that it is well. */
export interface HealthArgs {
  scheme: "HTTP" | "HTTPS";
  port: number;
  path: string;
  /** Seconds until it must be well. */
  timeout: number;
}

/** A systemd unit with its files. */
export class Unit extends pulumi.CustomResource {
  constructor(name: string, args: UnitArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Unit", name, args, inPlace(options));
  }
}

export interface ImagesArgs extends OnHostArgs {
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

export interface RemainsArgs extends OnHostArgs {
  of: Leaver;
}

/** What somebody leaves on a machine: taken off when this is deleted, which is after whatever depends on it. */
export class Remains extends pulumi.CustomResource {
  constructor(name: string, args: RemainsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Remains", name, args, inPlace(options));
  }
}

export interface FirewallArgs extends OnHostArgs {
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

export interface HostsArgs extends OnHostArgs {
  /** Name to address. */
  entries: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The cluster's machines in /etc/hosts, in a block of our own. */
export class Hosts extends pulumi.CustomResource {
  constructor(name: string, args: HostsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:host:Hosts", name, args, inPlace(options));
  }
}
