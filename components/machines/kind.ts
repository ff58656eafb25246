import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { optional } from "../../common/optional";
import type { MachineRole } from "../../render/preflight";
import type { ApiLoadBalancer } from "./api-load-balancer";
import type { Machine } from "./machine";

/** A machine that a cluster needs, and the settings with which its kind creates it. */
export interface MachineSpec<Each> {
  /** Hostname of the machine and name of its node. */
  name: string;
  role: MachineRole;
  /** `control-plane`, `workers`, or the name of another pool. */
  pool: string;
  /** Settings of the pool, merged over those of all machines of the kind. */
  settings: Each;
}

/**
 * Tells a machine when to change, if the nodes of its pool are changed a few at a time. `RollingUpdate` implements
 * it.
 */
export interface MachineTurns {
  turnOf(machine: string): Promise<pulumi.Resource[]>;
  /** What replaces the machine when it changes. */
  replacementTriggerOf?(machine: string): string | undefined;
}

/** Arguments of every component whose machines can be part of a rolling update. */
export interface RollingArgs {
  /**
   * Changes the machines of a pool a few at a time. Pass the same object to the `Cluster`.
   * @default none: a change of several machines changes all of them in parallel
   */
  rollingUpdate?: MachineTurns;
  /** @deprecated Use `rollingUpdate`. */
  turns?: MachineTurns;
}

/** All machines of one kind that a cluster needs. */
export interface MachineOrder<Shared, Each> extends RollingArgs {
  /** Name of the cluster; for the project's program, the name of the stack. */
  cluster: string;
  machines: readonly MachineSpec<Each>[];
  /** Settings that all machines of the kind share. */
  shared: Shared;
  /**
   * Folder of this cluster on the computer that runs Pulumi, for keys and the like. It is deleted together with the
   * cluster.
   */
  folder: string;
  /** Ranges of pods and services: a network that is created for the machines must not overlap them. */
  avoid: string[];
  /** Networks that other kinds create: for `dependsOn` of machines that may be on the same network. */
  networks?: pulumi.Resource[];
  /** Whether to create a load balancer for the API servers. Set only for a kind that has one. */
  loadBalancer?: boolean;
}

/** The machines that one kind created or connected to. */
export interface MachineSet {
  /** One machine for each `MachineSpec`, with the same name. */
  machines: Machine[];
  /**
   * Label of everything that was created outside Pulumi's state, with which `npm run down` finds leftovers of an
   * interrupted run.
   */
  stackId?: pulumi.Output<string>;
  /** The network that was created for the machines. */
  network?: pulumi.Resource;
  /** The load balancer of the API servers, if it was ordered. */
  loadBalancer?: ApiLoadBalancer | undefined;
}

/** Settings that are well-formed, but cannot be used together. */
export interface SettingsProblem {
  property: string;
  reason: string;
  action: string;
}

/**
 * A kind of machine: its settings, and how it turns them into machines that can be reached over SSH. The rest of the
 * program does not depend on the kind. docs/machines.md explains how to add one.
 */
export interface MachineKind<Shared extends z.ZodRawShape = z.ZodRawShape, Each extends z.ZodRawShape = z.ZodRawShape> {
  /** The value of `machines.kind`, and the name of the section `machines.<name>`. */
  name: string;
  /** Whether the kind creates as many machines as a pool counts. If not, the user lists existing machines. */
  makes: boolean;
  /** Whether routers are between the machines, so that flannel's backend host-gw cannot be used. */
  routed?: boolean;
  /** Whether the kind can create a load balancer for the API servers. */
  hasLoadBalancer?: boolean;
  /** Settings that apply to all machines of the kind together. */
  shared: Shared;
  /**
   * Settings of one machine: in `machines.<name>` for all machines, in `<pool>.machines.<name>` for the machines of a
   * pool.
   */
  each: Each;
  /** The machines' address ranges, by the property that sets them. */
  ranges?(shared: Partial<z.output<z.ZodObject<Shared>>>): Record<string, string> | undefined;
  /** Finds settings that cannot be used together. */
  unfit?(each: z.output<z.ZodObject<Each>>, shared: z.output<z.ZodObject<Shared>>): SettingsProblem[];
  /** Creates the machines. Called once, if the cluster needs at least one machine of the kind. */
  make(
    order: MachineOrder<z.output<z.ZodObject<Shared>>, z.output<z.ZodObject<Each>>>,
    options?: pulumi.ComponentResourceOptions,
  ): MachineSet;
}

/** A kind whose settings' types are not known. */
export interface AnyKind extends Omit<MachineKind, "ranges" | "unfit" | "make"> {
  ranges?(shared: object): Record<string, string> | undefined;
  unfit?(each: object, shared: object): SettingsProblem[];
  make(order: MachineOrder<object, object>, options?: pulumi.ComponentResourceOptions): MachineSet;
}

/** Defines a kind. The result keeps the types of its schemas, for the configuration's schema. */
export function defineKind<Shared extends z.ZodRawShape, Each extends z.ZodRawShape>(
  kind: MachineKind<Shared, Each>,
): Omit<AnyKind, "shared" | "each"> & { shared: Shared; each: Each } {
  return kind;
}

/** Arguments of a component that creates machines, for programs that use it without the project's configuration. */
export interface MachinesArgs<Shared extends z.ZodRawShape, Each extends z.ZodRawShape> extends RollingArgs {
  machines: readonly MachineArgs<z.input<z.ZodObject<Each>>>[];
  /** Settings of all machines. Each property has its own default. */
  settings?: z.input<z.ZodObject<Each>>;
  /** Settings that all machines share. Each property has its own default. */
  shared?: z.input<z.ZodObject<Shared>>;
  /** Folder for the cluster's SSH key on the computer that runs Pulumi. */
  folder: string;
}

/** One machine of `MachinesArgs`. */
export interface MachineArgs<Each> {
  /** Hostname of the machine and name of its node: a DNS label. */
  name: string;
  /** @default "worker" */
  role?: MachineRole;
  /**
   * Pool of the machine. Machines of one pool are spread over the hosts of the cloud, if it supports that.
   * @default "control-plane" for control planes, "workers" for workers
   */
  pool?: string;
  /** Settings of this machine. They are merged with the settings of all machines and take precedence. */
  settings?: Each;
}

/**
 * Fills in the defaults of a component's arguments.
 * @throws z.ZodError if a setting is missing or wrong.
 */
export function orderOf<Shared extends z.ZodRawShape, Each extends z.ZodRawShape>(
  kind: { shared: Shared; each: Each },
  cluster: string,
  { machines, settings, shared = {} as never, ...rest }: MachinesArgs<Shared, Each>,
): Omit<MachineOrder<z.output<z.ZodObject<Shared>>, z.output<z.ZodObject<Each>>>, "avoid"> {
  return {
    ...rest,
    cluster,
    shared: z.object(kind.shared).parse(shared),
    machines: machines.map(({ name, role = "worker", pool, settings: own }) => ({
      name,
      role,
      pool: pool ?? (role === "worker" ? "workers" : role),
      settings: z.object(kind.each).parse({ ...settings, ...own }),
    })),
  };
}

/** For `dependsOn` of a machine: resolves when its rolling update reaches it. Undefined without a rolling update. */
export function turnOf(machine: string, { rollingUpdate, turns }: RollingArgs): Promise<pulumi.Resource[]> | undefined {
  return (rollingUpdate ?? turns)?.turnOf(machine);
}

/** For the options of a machine that is created: replaces it for another version, if its pool is configured so. */
export function replacementOf(
  machine: string,
  { rollingUpdate, turns }: RollingArgs,
): Pick<pulumi.CustomResourceOptions, "replacementTrigger"> {
  return optional({ replacementTrigger: (rollingUpdate ?? turns)?.replacementTriggerOf?.(machine) });
}
