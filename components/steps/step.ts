import type * as pulumi from "@pulumi/pulumi";
import { type Rung, reaches } from "../../render/rung";
import type { ClusterHandle } from "./cluster-handle";
import type { ClusterMember } from "./member";

/** What a step on a machine may use. */
export interface MachineScope {
  /** The machine that the step works on; for a step of the cluster, the first control plane. */
  member: ClusterMember;
  /** Resources of the needed steps: for `dependsOn`. */
  after: pulumi.Resource[];
}

/** What a step may use that works through the API server. */
export interface ClusterScope extends MachineScope {
  readonly cluster: ClusterHandle;
}

/**
 * What the steps of a list may use. `Steps` maps their names to their resources; `Context` is what only that list
 * has.
 */
export interface Scope<Steps, Context> extends ClusterScope {
  context: Context;
  /** The resource of another step on the same machine, or else on the first machine that it works on. */
  resource<Name extends keyof Steps>(step: Name): Steps[Name];
}

/**
 * A step of the bootstrap: registers one resource for the cluster, or one for each machine it works on. Steps only name
 * what must be done first; the Pulumi engine runs everything else in parallel.
 */
export interface Step<Resource, Name extends PropertyKey, StepScope = MachineScope> {
  /** Selects the machines that the step works on. A step without it works on the cluster, once. */
  on?: (member: ClusterMember) => boolean;
  /**
   * Steps that must be done first on the same machine. A step that does not work on that machine is skipped.
   * A nested list names alternatives: the first one that works on the machine.
   */
  needs?: readonly (Name | readonly Name[])[];
  /** Steps that must be done first on all machines they work on, or on the cluster. */
  needsCluster?: readonly Name[];
  /** Works on one machine at a time: also needs this step on the machine before. */
  oneByOne?: Name;
  /** The ladder's rung that introduces the step. A step without it is part of every rung. */
  from?: Rung;
  /** The ladder's rung that no longer needs the step. */
  until?: Rung;
  register: (scope: StepScope) => Resource;
}

export type StepList<Steps, Context> = {
  readonly [Name in keyof Steps]: Step<Steps[Name], keyof Steps, Scope<Steps, Context>>;
};

export interface RunnerOptions<Steps, Context> {
  members: readonly ClusterMember[];
  context: Context;
  /** How resources use the cluster. Called by steps that come after the one that creates it. */
  handle: (runner: Pick<Scope<Steps, Context>, "resource">) => ClusterHandle;
  /** Default: all rungs. */
  rung?: Rung;
}

/** Registers the resources of a list of steps. Each one is registered after those that it needs. */
export class StepRunner<Steps extends { [Name in keyof Steps]: pulumi.Resource }, Context> {
  private readonly registered = new Map<string, pulumi.Resource>();

  constructor(
    private readonly steps: StepList<Steps, Context>,
    private readonly options: RunnerOptions<Steps, Context>,
  ) {}

  run(): void {
    for (const name of Object.keys(this.steps) as (keyof Steps)[]) this.resources(name);
  }

  /** Whether the rung includes the step. */
  includes(name: keyof Steps): boolean {
    const { from, until } = this.steps[name];
    const { rung } = this.options;
    if (rung === undefined) return true;
    return (from === undefined || reaches(rung, from)) && (until === undefined || !reaches(rung, until));
  }

  /** @throws Error if the step does not work on the machine. */
  resource<Name extends keyof Steps>(name: Name, member = this.first(name)): Steps[Name] {
    if (!this.worksOn(name, member)) throw new Error(`step ${String(name)} does not work on ${member.name}`);
    const key = `${String(name)} ${this.steps[name].on ? member.name : ""}`;
    const existing = this.registered.get(key);
    if (existing) return existing as Steps[Name];
    const resource = this.steps[name].register(this.scope(member, this.needed(name, member)));
    this.registered.set(key, resource);
    return resource;
  }

  private scope(member: ClusterMember, after: pulumi.Resource[]): Scope<Steps, Context> {
    const { context, handle } = this.options;
    const resource = <Name extends keyof Steps>(step: Name) =>
      this.resource(step, this.worksOn(step, member) ? member : this.first(step));
    return {
      member,
      after,
      context,
      resource,
      get cluster() {
        return handle({ resource });
      },
    };
  }

  /** The resources of a step on all machines that it works on. */
  resources(name: keyof Steps): pulumi.Resource[] {
    if (!this.includes(name)) return [];
    return this.membersOf(name).map((member) => this.resource(name, member));
  }

  private needed(name: keyof Steps, member: ClusterMember): pulumi.Resource[] {
    const { needs = [], needsCluster = [], oneByOne } = this.steps[name];
    const own = needs.flatMap((need) => {
      const alternatives = isAlternatives(need) ? need : [need];
      const step = alternatives.find((each) => this.worksOn(each, member));
      return step === undefined ? [] : [this.resource(step, member)];
    });
    const all = needsCluster.flatMap((step) => this.resources(step));
    const members = this.membersOf(name);
    const previous = members[members.indexOf(member) - 1];
    return [...own, ...all, ...(oneByOne !== undefined && previous ? [this.resource(oneByOne, previous)] : [])];
  }

  private membersOf(name: keyof Steps): readonly ClusterMember[] {
    const { on } = this.steps[name];
    return on ? this.options.members.filter(on) : this.options.members.slice(0, 1);
  }

  private worksOn(name: keyof Steps, member: ClusterMember): boolean {
    return this.includes(name) && (this.steps[name].on?.(member) ?? true);
  }

  private first(name: keyof Steps): ClusterMember {
    const [member] = this.membersOf(name);
    if (!member) throw new Error(`step ${String(name)} works on no machine of this cluster`);
    return member;
  }
}

function isAlternatives<Name extends PropertyKey>(need: Name | readonly Name[]): need is readonly Name[] {
  return Array.isArray(need);
}
