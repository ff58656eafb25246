import type { z } from "zod";
import type { ProviderContext } from "../context";

/** What a handler may use while it works on one resource. */
export interface Context extends ProviderContext {
  urn: string;
  /** The resource's logical name in the program. */
  name: string;
  /** Aborted on Ctrl-C and when customTimeouts run out. Every wait must honour it. */
  signal: AbortSignal;
  /** The resource's live status line; replaced by the next one. */
  status(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** What the engine remembers of a resource. `inputs` are the last accepted ones. */
export interface Recorded<I, O> {
  inputs: I;
  outputs: O;
}

/**
 * One kind of resource. `create`, `update` and `delete` are idempotent: each may be run again after it was cut off at any
 * point. The generic parts (validation by schema, path-level diffs, secrets, unknowns) are in serve.ts.
 */
export interface Handler<I extends object = object, O extends object = object> {
  /** Refuses bad input at preview, with the property's path. */
  schema: z.ZodType<I>;
  /** The names of the outputs that are not inputs; unknown at preview until created. */
  outputs: readonly (keyof O & string)[];
  secretOutputs?: readonly (keyof O & string)[];
  /** Input paths (`instance`, `connection.host`) whose change needs a new resource. */
  replaceOn?: readonly string[];
  /** May tell that what `replaceOn` takes for another thing is the same after all: a machine that is reached in another way. */
  isSame?(inputs: I, old: Recorded<I, O>, context: Context): Promise<boolean>;
  /** Input paths whose change alone is no change: how we log in, not what is there. */
  ignore?: readonly string[];
  /** True (the default) where old and new would fight over one place, such as a path on a machine. */
  deleteBeforeReplace?: boolean;
  /** Problems that a schema cannot tell; unknown inputs are absent here. Asked at every preview, so it looks at the controller at most. */
  check?(inputs: Partial<I>, provider: ProviderContext): Problem[] | Promise<Problem[]>;
  /** Further changed paths, beyond the inputs' own: a cache that is gone, say. May only look at the controller. */
  extraChanges?(inputs: I, old: Recorded<I, O>, provider: ProviderContext): Promise<string[]>;
  /** Outputs that preview can foretell; may only look at the controller. Default: unknown on create, the old ones on update. */
  predict?(inputs: Partial<I>, old?: Recorded<I, O>): Partial<O> | Promise<Partial<O>>;
  create(context: Context, inputs: I): Promise<{ id: string; outputs: O }>;
  update?(context: Context, id: string, inputs: I, old: Recorded<I, O>): Promise<O>;
  /** The truth about the machine, as inputs that would describe it; undefined where the thing is gone. */
  read?(context: Context, id: string, old: Recorded<I, O>): Promise<Recorded<I, O> | undefined>;
  delete?(context: Context, id: string, old: Recorded<I, O>): Promise<void>;
}

export interface Problem {
  /** Path of the property: `files["/etc/x"].mode`. */
  path: string;
  reason: string;
}

/** Thrown by create or update: what was made is kept in the state, and the next `up` goes on with update. */
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

/** Forgets a handler's own types, which the registry has no use for. */
export function register<I extends object, O extends object>(handler: Handler<I, O>): Handler {
  return handler as unknown as Handler;
}
