import type { Ground } from "./test-cluster";

/** What a command goes through, in the words that it prints when the phase begins. */
export interface Phase {
  name: string;
  /** Absent: the phase is the end, when the command is over. */
  begins?: RegExp;
}

/** Something that a person does to a cluster, and that can be interrupted. */
export interface Operation {
  name: string;
  what: string;
  /** Workers that are there before it and after it; undefined: there is no cluster. */
  before: number | undefined;
  after: number | undefined;
  /** The machine that it is about, and that a fault hits. */
  target: string;
  /** A script and its words, without `--stack`. */
  command: readonly [string, ...string[]];
  /** What completes it after a failure. */
  again: readonly [string, ...string[]];
  phases: readonly Phase[];
  /** The target is left cordoned. */
  cordons?: true;
  /** Workloads of ours run on the target, and what kills the machine kills them. */
  carriesPods?: true;
}

/** What a fault is given to do its work with. */
export interface Scene {
  ground: Ground;
  operation: Operation;
  /** Of the command: it leads a process group of its own. */
  pid: number;
}

/** Ends what a fault has begun and that would not end by itself, as the person does who frees a disk. */
export type Lift = () => Promise<void>;

export interface Fault {
  name: string;
  /** What happens, for docs/faults.md. */
  what: string;
  /** Done before the operation begins. */
  prepare?(scene: Omit<Scene, "pid">): Promise<void>;
  /** Done when the phase begins. What it gives is called when the command is over. */
  strike(scene: Scene): Promise<Lift | void>;
  /** Why the fault makes no sense there; undefined where it does. */
  senseless?(operation: Operation, phase: Phase): string | undefined;
  /** The target's machine goes down with everything on it. */
  downsMachine?: true;
}

export interface Cell {
  operation: Operation;
  phase: Phase;
  fault: Fault;
}

/**
 * `healed`: it ended in the desired state by itself. `resumed`: it failed with a clear error, and the next run completed it. `red`: neither,
 * or something was lost. `missed`: the phase did not come, or the fault could not be brought about: nothing is shown.
 */
export type Outcome = "healed" | "resumed" | "red" | "missed";

/** The operation came to its end, by itself or with the next run. */
export function isGreen({ outcome }: { outcome: Outcome }): boolean {
  return outcome === "healed" || outcome === "resumed";
}

export interface CellResult {
  operation: string;
  phase: string;
  fault: string;
  outcome: Outcome;
  seconds: number;
  /** What is wrong, or how it failed before it was resumed. */
  note?: string;
  /** The day. */
  on: string;
}
