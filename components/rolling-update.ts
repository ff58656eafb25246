import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Roster } from "../sdk/kubernetes";

/** Nodes that stand in for one another. */
export interface Rotation {
  /** The machines, in the order in which they have their turns. */
  names: readonly string[];
  /** How many may be away at a time. Default 1. */
  maxUnavailable?: number;
}

export interface Members {
  pools: readonly Rotation[];
  /** Machines that have no turns: control planes. */
  others?: readonly string[];
}

/**
 * Whose turn it is when one change touches several machines of a pool. A machine that serves already is shown to the engine only once
 * the node `maxUnavailable` places before it is Ready, so nobody waits while holding one of the engine's slots, and no number of slots
 * is too small. Machines that are new in this run wait for nobody. Why it is done so: docs/rolling-updates.md.
 *
 * @example
 * const turns = new Turns("dev", { pools: [{ names: ["worker-1", "worker-2"] }], others: ["control-plane-1"] });
 * const machines = new DockerMachines("dev", { names, keyFolder, turns }).machines;
 * new Cluster("dev", { ..., turns });
 */
export class Turns {
  private readonly since: pulumi.Output<Record<string, string> | undefined>;
  private readonly run = randomUUID();
  private readonly before = new Map<string, string>();
  private readonly nodes = new Map<string, pulumi.Resource>();

  constructor(name: string, { pools, others = [] }: Members, options?: pulumi.CustomResourceOptions) {
    for (const { names, maxUnavailable = 1 } of pools) {
      names.forEach((machine, index) => {
        const earlier = names[index - maxUnavailable];
        if (earlier !== undefined) this.before.set(machine, earlier);
      });
    }
    const members = [...pools.flatMap(({ names }) => names), ...others];
    this.since = new Roster(`${name}-roster`, { members, run: this.run }, options).since;
  }

  /** Was it a member before this run? Unknown to the roster is new: it was made for a stack of an older version, or named twice. */
  isKnown(machine: string): pulumi.Output<boolean> {
    return this.since.apply((since) => since?.[machine] !== undefined && since[machine] !== this.run);
  }

  /** The node to wait for, once it is there; announced by the cluster in the same program. */
  announce(machine: string, node: pulumi.Resource): void {
    this.nodes.set(machine, node);
  }

  /**
   * For `dependsOn` of what comes first on a machine: ends when it is the machine's turn, and names nobody. It is a bare promise and
   * not the node itself on purpose: a dependency would be recorded in the state, where `--target-dependents` on one worker would
   * take in all after it, and a destroy would go from the last to the first.
   */
  async of(machine: string): Promise<pulumi.Resource[]> {
    const earlier = this.before.get(machine);
    // A preview changes nothing, and what it does not know yet would never come.
    if (earlier === undefined || pulumi.runtime.isDryRun()) return [];
    if (!(await valueOf(this.isKnown(machine)))) return [];
    const node = this.nodes.get(earlier);
    if (node) await valueOf(node.urn);
    return [];
  }
}

/** The value without the dependencies that an Output carries along. */
function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((done) => void output.apply((value) => done(value)));
}
