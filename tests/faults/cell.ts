import type { TestCluster } from "./test-cluster";

/** A part of an operation. It begins when the command prints a line that matches `begins`. */
export interface Phase {
  name: string;
  /** Absent for the phase that follows the end of the command. */
  begins?: RegExp;
}

/** Number of machines of a cluster. */
export interface Size {
  controlPlanes: number;
  workers: number;
}

/** A change of a cluster that a fault can interrupt. */
export interface Operation {
  name: string;
  description: string;
  /** The cluster before and after the operation. Undefined: there is none. */
  before: Size | undefined;
  after: Size | undefined;
  /** The machine that the operation changes and that the fault affects. */
  target: string;
  /** A command and its arguments, without `--stack`. */
  command: readonly [string, ...string[]];
  /** The command that completes the operation after a failure. */
  resume: readonly [string, ...string[]];
  phases: readonly Phase[];
  /** The operation leaves the target cordoned. */
  cordons?: true;
  /** The target runs pods of the test Deployment, which die with the machine. */
  carriesPods?: true;
}

export interface FaultContext {
  cluster: TestCluster;
  operation: Operation;
  /** The command's process, which leads its own process group. */
  pid: number;
}

/** Ends a fault that does not end by itself, such as a full disk. */
export type Undo = () => Promise<void>;

export interface Fault {
  name: string;
  /** What happens, for docs/faults.md. */
  description: string;
  /** Runs before the operation begins. */
  prepare?(context: Omit<FaultContext, "pid">): Promise<void>;
  /**
   * Runs when the phase begins. The returned function is called when the command has ended.
   * @throws Error when the fault hit nothing, so that the cell proves nothing
   */
  inject(context: FaultContext): Promise<Undo | void>;
  /** Why the fault does not apply to the phase. Undefined where it applies. */
  notApplicable?(operation: Operation, phase: Phase): string | undefined;
  /** The machine of the target stops with all its pods. */
  stopsMachine?: true;
  /** The command cannot succeed when the fault hit it in time. */
  endsCommand?: true;
}

export interface Cell {
  operation: Operation;
  phase: Phase;
  fault: Fault;
}

/**
 * - `healed`: the operation reached the desired state without help.
 * - `resumed`: the operation failed with a clear error, and the next run completed it.
 * - `red`: neither, or something was lost.
 * - `missed`: the phase did not begin or the fault hit nothing. The cell proves nothing.
 */
export type Outcome = "healed" | "resumed" | "red" | "missed";

/** Whether two clusters have the same machines. */
export function isSameSize(one: Size | undefined, other: Size | undefined): boolean {
  return one?.controlPlanes === other?.controlPlanes && one?.workers === other?.workers;
}

/** Tells whether the operation completed, without help or with the next run. */
export function isGreen({ outcome }: { outcome: Outcome }): boolean {
  return outcome === "healed" || outcome === "resumed";
}

export interface CellResult {
  operation: string;
  phase: string;
  fault: string;
  outcome: Outcome;
  seconds: number;
  /** The problems of a red cell, or the error that came before a resumed one. */
  note?: string;
  /** The day, as in 2026-11-21. */
  on: string;
  /** The commit that was tested, with `-dirty` when the sources differed from it. */
  commit?: string;
  /** The `CHECKS` version (checks.ts) that judged the cell. */
  checks?: number;
}
