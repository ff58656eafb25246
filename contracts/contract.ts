import type { z } from "zod";
import { isSecret } from "./secret";

/** A resource's type token, as it stands in URNs: `kubewright:host:Unit`. */
export type TypeToken = `kubewright:${string}:${string}`;

/**
 * The public shape of one resource: its type token, its inputs and its outputs.
 *
 * The provider validates inputs against it, the program's resource class takes its argument types and output names from
 * it, and the reference documentation is generated from it. The JSDoc comment of a property is its one description;
 * `.default()` is its one default; `secret()` marks it as a secret.
 */
export interface Contract<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  readonly type: TypeToken;
  readonly inputs: I;
  readonly outputs: O;
}

/** Declares a resource's contract. */
export function defineContract<I extends z.ZodObject, O extends z.ZodObject>(contract: {
  type: TypeToken;
  inputs: I;
  outputs: O;
}): Contract<I, O> {
  return contract;
}

/** Inputs as the provider sees them: validated, with their defaults. */
export type Inputs<C extends Contract> = z.output<C["inputs"]>;

/** Inputs as a program writes them: properties with a default are optional. */
export type WrittenInputs<C extends Contract> = z.input<C["inputs"]>;

/** The outputs that are not inputs. */
export type Outputs<C extends Contract> = z.output<C["outputs"]>;

/** Names of the outputs that are not inputs. */
export function outputNames<C extends Contract>(contract: C): (keyof Outputs<C> & string)[] {
  return Object.keys(contract.outputs.shape);
}

/** Names of the outputs that are encrypted in the state. */
export function secretOutputNames<C extends Contract>(contract: C): (keyof Outputs<C> & string)[] {
  const shape = contract.outputs.shape as Record<string, z.core.$ZodType>;
  return outputNames(contract).filter((name) => shape[name] !== undefined && isSecret(shape[name]));
}
