import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { Machine } from "./machine";

/** One machine that the configuration wants. */
export interface Wanted<Each> {
  /** Its hostname, and the node's name. */
  name: string;
  role: "control-plane" | "worker";
  /** `control-plane`, `workers`, `gpu` */
  pool: string;
  /** What its pool says, over what `machines.<kind>` says. */
  settings: Each;
}

/** All machines of one kind that a cluster wants, and what a kind may know of the cluster. */
export interface Order<Shared, Each> {
  /** The cluster's name: the stack's. */
  cluster: string;
  machines: readonly Wanted<Each>[];
  shared: Shared;
  /** A folder of the controller that is this cluster's alone, for keys and the like. It goes with the cluster. */
  folder: string;
  /** Ranges that a network made for the machines must not touch: those of pods and services. */
  avoid: string[];
  turns?: Takers;
  /** Networks that other kinds make: for `dependsOn` of machines that may be on the same one. */
  networks?: pulumi.Resource[];
}

/** What `Turns` is to a kind: for `dependsOn` of a machine, so that a change of many takes them in turn. */
export interface Takers {
  of(machine: string): Promise<pulumi.Resource[]>;
}

export interface Made {
  /** One for each that is wanted, by the same name. */
  machines: Machine[];
  /** The label on what was made outside the state, where there is such a thing: `npm run down` looks for what a stopped run left. */
  stackId?: pulumi.Output<string>;
  /** The network that was made for them, if one was. */
  network?: pulumi.Resource;
}

/** Settings that are well-formed, and yet will not do. */
export interface Unfit {
  property: string;
  reason: string;
  action: string;
}

/**
 * A kind of machine: what a person may say of it, and how that becomes addresses, users and keys. From there on nobody knows what made
 * them. How to add one: docs/machines.md.
 */
export interface MachineKind<Shared extends z.ZodRawShape = z.ZodRawShape, Each extends z.ZodRawShape = z.ZodRawShape> {
  /** The word in `machines.kind`, and the section `machines.<name>`. */
  name: string;
  /** Are as many made as a pool counts? Otherwise the person lists them. */
  makes: boolean;
  /** Their network routes between them, so that flannel's host-gw has no way from one to the other. */
  routed?: boolean;
  /** What is said once, of all machines of the kind. */
  shared: Shared;
  /** What is said of each machine: in the section for all, and in `<pool>.machines.<name>` for those of a pool. */
  each: Each;
  /** Ranges in which the machines will be, by the property that says so. */
  ranges?(shared: z.output<z.ZodObject<Shared>>): Record<string, string> | undefined;
  /** What cannot be told from each property by itself. */
  unfit?(each: z.output<z.ZodObject<Each>>, shared: z.output<z.ZodObject<Shared>>): Unfit[];
  /** Called once, where at least one machine is wanted. */
  make(
    order: Order<z.output<z.ZodObject<Shared>>, z.output<z.ZodObject<Each>>>,
    options?: pulumi.ComponentResourceOptions,
  ): Made;
}

/** A kind whose own types the registry has no use for. */
export interface AnyKind extends Omit<MachineKind, "ranges" | "unfit" | "make"> {
  ranges?(shared: object): Record<string, string> | undefined;
  unfit?(each: object, shared: object): Unfit[];
  make(order: Order<object, object>, options?: pulumi.ComponentResourceOptions): Made;
}

export function kind<Shared extends z.ZodRawShape, Each extends z.ZodRawShape>(
  given: MachineKind<Shared, Each>,
): AnyKind {
  return given;
}
