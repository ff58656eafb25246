import type { Contract, Inputs, Outputs } from "../../contracts/contract";
import type { ProviderContext } from "../context/context";

/** Context of one operation on one resource. */
export interface Context extends ProviderContext {
  urn: string;
  /** The resource's logical name in the program. */
  name: string;
  /** Aborted by Ctrl-C and when customTimeouts expire. Every wait must honor it. */
  signal: AbortSignal;
  /** Replaces the resource's live status line. */
  status(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /**
   * Records that the operation is about to change something outside of the state. If the operation fails from here on,
   * the resource is still recorded in the state: the next `up` completes it with `update`, and `destroy` deletes it.
   * Call it immediately before the first side effect, and again when further outputs are available.
   * @param id default: on update the recorded id, on create the resource's name
   * @param outputs outputs so far, in addition to the recorded ones
   */
  begin(id?: string, outputs?: object): void;
  /** Withdraws `begin` after the operation has reverted its changes: a failure then leaves the state unchanged. */
  undo(): void;
}

/** Inputs and outputs of a resource in the state. `inputs` are the last accepted ones. */
export interface Recorded<I, O> {
  inputs: I;
  outputs: O;
  /**
   * Whether parts of the resource may exist although others are missing, because the last create or update failed. A
   * `read` must not report such a resource as gone. It sets this if it finds parts only, for example after a delete
   * that was interrupted: the next `up` completes the resource, and `destroy` deletes the parts.
   * @default false
   */
  unfinished?: boolean;
}

/** What an adoption records. */
export interface Adopted<O> {
  id: string;
  outputs: O;
  /** Whether the next `up` must update the resource, because it differs in a way that no refresh finds. */
  isUnfinished?: boolean;
}

/**
 * One kind of resource. `create`, `update` and `delete` are idempotent: each may run again after an interruption at any
 * point. Validation, defaults, path-level diffs, secrets and unknown values are generic: see operations.ts.
 */
export interface Handler<C extends Contract = Contract, I = Inputs<C>, O = Outputs<C>> {
  /** Type token, validation, defaults, and the names and secrets of the outputs. Errors name the property's path. */
  contract: C;
  /** Paths of inputs (`instance`, `connection.host`) whose change needs a new resource. */
  replaceOn?: readonly string[];
  /** Returns true where the resource is the same despite a change of `replaceOn`: a machine with another address. */
  isSame?(inputs: I, old: Recorded<I, O>, context: Context): Promise<boolean>;
  /** Paths of inputs that are not compared, such as the settings of the login. */
  ignore?: readonly string[];
  /**
   * Inputs that are outputs which another resource rarely has. Pulumi reports an output that a resource does
   * not have as unknown in a preview: such an input is compared as unchanged.
   */
  rare?: readonly string[];
  /** Whether the old resource is deleted first, because both would use the same path, for example. @default true */
  deleteBeforeReplace?: boolean;
  /**
   * Finds problems that a schema cannot express. Unknown inputs are absent. Runs at every preview, so it reads no
   * machine.
   * @param old the last accepted inputs, absent for a new resource
   */
  check?(inputs: Partial<I>, provider: ProviderContext, old?: Partial<I>): Problem[] | Promise<Problem[]>;
  /**
   * Finds changes that an existing resource cannot make. `old` are the last accepted inputs; unknown inputs are absent.
   * Runs at every preview: no remote reads.
   */
  findImpossibleChanges?(inputs: Partial<I>, old: Partial<I>): Problem[];
  /**
   * Returns true if no change may replace the resource. `findImpossibleChanges` reports the changes that would. Before
   * the engine replaces what the resource depends on, `inputs` are the recorded ones, without the unknown ones.
   */
  isProtected?(inputs: Partial<I>, old: Partial<I>, provider: ProviderContext): boolean;
  /**
   * Throws a StepError if the resource must not be replaced. Runs in previews, and before anything is deleted: the
   * engine asks with unknown inputs what else it has to replace. Unknown inputs are absent.
   */
  refuseReplacement?(inputs: Partial<I>, old: Recorded<I, O>): void;
  /**
   * Returns changed paths other than inputs, such as a deleted cache. May only read the controller. With `isRefresh`,
   * the engine compares what a refresh has read, and reports the paths as drift.
   */
  extraChanges?(inputs: I, old: Recorded<I, O>, provider: ProviderContext & { isRefresh?: boolean }): Promise<string[]>;
  /**
   * Returns outputs that are known at preview; may only read the controller. @default the recorded outputs, on update
   */
  predict?(inputs: Partial<I>, old?: Recorded<I, O>): Partial<O> | Promise<Partial<O>>;
  create(context: Context, inputs: I): Promise<{ id: string; outputs: O }>;
  /**
   * Returns what `create` would return for a resource that exists, and changes nothing. A refresh follows, which reads
   * what differs from the inputs, or that the resource is gone: only what would be another resource is an error.
   * @default kinds without it cannot be adopted
   */
  adopt?(context: Context, inputs: I): Promise<Adopted<O>>;
  /**
   * After a failed update, `old.inputs` has everything that the failed update or the one before may have left on the
   * machine: maps and lists are merged, and of other values the newer one is kept.
   */
  update?(context: Context, id: string, inputs: I, old: Recorded<I, O>): Promise<O>;
  /** Returns the state of the machine, as inputs that would describe it; undefined if the resource is gone. */
  read?(context: Context, id: string, old: Recorded<I, O>): Promise<Recorded<I, O> | undefined>;
  delete?(context: Context, id: string, old: Recorded<I, O>): Promise<void>;
}

export interface Problem {
  /** Path of the property: `files["/etc/x"].mode`. */
  path: string;
  reason: string;
}

/** A failed create or update whose effects are recorded in the state: the next `up` continues with update. */
export class PartialFailure<O extends object> extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: O,
  ) {
    super(message);
    this.name = "PartialFailure";
  }
}

/** Handlers by type token: `kubewright:host:Files`. */
export type Registry = Readonly<Record<string, Handler>>;

/** Returns the handler without its specific types, which the registry cannot express. */
export function register<C extends Contract>(handler: Handler<C>): Handler {
  return handler;
}

/** Returns the `adopt` of a kind without outputs. */
export function adoptById<I>(idOf: (inputs: I, context: Context) => string) {
  return (context: Context, inputs: I): Promise<Adopted<Record<string, never>>> =>
    Promise.resolve({ id: idOf(inputs, context), outputs: {} });
}

/** Indexes handlers by the type tokens of their contracts. */
export function registryOf(handlers: readonly Handler[]): Registry {
  return Object.fromEntries(handlers.map((handler) => [handler.contract.type, handler]));
}
