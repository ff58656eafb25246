import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Roster } from "../../sdk/kubernetes";

/** Nodes that can take over one another's pods. */
export interface RollingPool {
  /** Names of the pool's machines, in the order in which a change takes them. */
  names: readonly string[];
  /**
   * Number of nodes that a change may make unavailable at the same time.
   * @default 1
   */
  maxUnavailable?: number;
  /**
   * Versions of the kubelets, by machine name. A machine whose version changes is replaced by a new one.
   * @default none: the kubelets of the pool change in place
   */
  replacedFor?: Readonly<Record<string, string>>;
}

export interface RollingUpdateArgs {
  pools: readonly RollingPool[];
  /** Names of machines that are in no pool: the control planes. */
  others?: readonly string[];
  /** Names of machines of the pools that change before all others of them, one after the other. */
  first?: readonly string[];
  /**
   * Whether a pool changes only when the pool before it is done.
   * @default false
   */
  onePoolAtATime?: boolean;
}

/** Returns the machines whose nodes must be Ready before a machine changes, by its name. */
function predecessorsOf({ pools, first = [], onePoolAtATime = false }: RollingUpdateArgs): Map<string, string[]> {
  const predecessors = new Map(first.map((machine, index) => [machine, first.slice(Math.max(0, index - 1), index)]));
  let before: readonly string[] = first.slice(-1);
  for (const { names, maxUnavailable = 1 } of pools) {
    const others = names.filter((name) => !first.includes(name));
    others.forEach((machine, index) => {
      const predecessor = others[index - maxUnavailable];
      predecessors.set(machine, predecessor === undefined ? [...before] : [predecessor]);
    });
    if (onePoolAtATime && others.length > 0) before = others.slice(-maxUnavailable);
  }
  return predecessors;
}

/**
 * Changes the nodes of a pool a few at a time when one change concerns several of them.
 *
 * The machine of an existing node is registered with the Pulumi engine only once the node `maxUnavailable` places
 * before it is Ready, so a machine that waits holds none of the engine's parallel slots. Machines that are new in this
 * run do not wait. See docs/rolling-updates.md for the reasons.
 *
 * @example
 * const rollingUpdate = new RollingUpdate("dev", {
 *   pools: [{ names: ["worker-1", "worker-2"] }],
 *   others: ["control-plane-1"],
 * });
 * const { machines } = new DockerMachines("dev", { names, keyFolder, rollingUpdate });
 * new Cluster("dev", { ..., rollingUpdate });
 */
export class RollingUpdate {
  private readonly firstRuns: pulumi.Output<Record<string, string> | undefined>;
  private readonly run = randomUUID();
  private readonly predecessors: ReadonlyMap<string, readonly string[]>;
  private readonly controlPlanes: readonly string[];
  private readonly replacedFor: ReadonlyMap<string, string>;
  private readonly nodes = new Map<string, pulumi.Resource>();

  constructor(name: string, args: RollingUpdateArgs, options?: pulumi.CustomResourceOptions) {
    const { pools, others = [] } = args;
    this.predecessors = predecessorsOf(args);
    this.controlPlanes = others;
    this.replacedFor = new Map(pools.flatMap(({ replacedFor = {} }) => Object.entries(replacedFor)));
    const members = [...pools.flatMap(({ names }) => names), ...others];
    this.firstRuns = new Roster(`${name}-roster`, { members, run: this.run }, options).since;
  }

  /**
   * Whether the machine was a member of the cluster before this run. A machine that the roster does not have is new.
   */
  isMember(machine: string): pulumi.Output<boolean> {
    return this.firstRuns.apply((runs) => runs?.[machine] !== undefined && runs[machine] !== this.run);
  }

  /**
   * Registers the node of a machine, or what comes after it. The machine after it waits for this. The `Cluster` calls
   * it.
   */
  addNode(machine: string, node: pulumi.Resource): void {
    this.nodes.set(machine, node);
  }

  /**
   * Resolves when it is the machine's turn, to an empty list: for `dependsOn` of the machine's first resource.
   *
   * It resolves to no resource on purpose. A dependency on the node before would be recorded in the state:
   * `--target-dependents` on one worker would include all workers after it, and a destroy would delete the workers one
   * after the other.
   */
  async turnOf(machine: string): Promise<pulumi.Resource[]> {
    // A replaced machine joins with the new version, so the control planes must have it.
    const controlPlanes = this.replacedFor.has(machine) ? this.controlPlanes : [];
    const predecessors = [...(this.predecessors.get(machine) ?? []), ...controlPlanes];
    // A preview changes nothing, and its unknown outputs never resolve.
    if (predecessors.length === 0 || pulumi.runtime.isDryRun()) return [];
    if (!(await valueOf(this.isMember(machine)))) return [];
    await this.waitForNodes(predecessors);
    return [];
  }

  /**
   * Returns what replaces the machine when it changes, for `replacementTrigger` of the machine's first resource.
   * Undefined: no change of the version replaces it.
   */
  replacementTriggerOf(machine: string): string | undefined {
    return this.replacedFor.get(machine);
  }

  /**
   * Machines that are new in this run are checked together with all others, so no other machine waits for them, but for
   * the machines before them.
   */
  private async waitForNode(machine: string): Promise<void> {
    if (!(await valueOf(this.isMember(machine)))) {
      await this.waitForNodes(this.predecessors.get(machine) ?? []);
      return;
    }
    const node = this.nodes.get(machine);
    if (node) await valueOf(node.urn);
  }

  private async waitForNodes(machines: readonly string[]): Promise<void> {
    await Promise.all(machines.map(async (name) => await this.waitForNode(name)));
  }
}

/** The output's value, without its dependencies. */
function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => void output.apply((value) => resolve(value)));
}
