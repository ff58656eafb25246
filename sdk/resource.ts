import * as pulumi from "@pulumi/pulumi";
import { type Contract, type Inputs, type Outputs, type WrittenInputs, outputNames } from "../contracts/contract";

/** A value in which any part may be an output of another resource. */
export type DeepInput<T> = pulumi.Input<DeepInputParts<T>>;

export type DeepInputParts<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Element)[]
    ? DeepInput<Element>[]
    : T extends object
      ? { [K in keyof T]: DeepInput<T[K]> }
      : T;

/** The arguments of the resource with this contract. */
export type Args<C extends Contract> = { [K in keyof WrittenInputs<C>]: DeepInput<WrittenInputs<C>[K]> };

/** An instance of the resource with this contract: all inputs and outputs as Pulumi outputs. */
export type Resource<C extends Contract> = pulumi.CustomResource & {
  readonly [K in keyof Outputs<C>]-?: pulumi.Output<Outputs<C>[K]>;
} & {
  readonly [K in keyof Omit<Inputs<C>, keyof Outputs<C>>]-?: pulumi.Output<Inputs<C>[K]>;
};

export type ResourceClass<C extends Contract> = new (
  name: string,
  args: Args<C>,
  options?: pulumi.CustomResourceOptions,
) => Resource<C>;

/**
 * Makes the base class of a resource from its contract.
 *
 * `deleteBeforeReplace` is true by default: a resource on a machine occupies one place there. The provider reports the
 * same in its diffs, but the engine asks for no diff when the user requests a replacement (`--target-replace`,
 * `pulumi state taint`), and would then create the new resource first.
 */
export function resourceClass<C extends Contract>(
  contract: C,
  { deleteBeforeReplace = true }: { deleteBeforeReplace?: boolean } = {},
): ResourceClass<C> {
  const outputs = Object.fromEntries(outputNames(contract).map((name) => [name, undefined]));
  const defaults = deleteBeforeReplace ? { deleteBeforeReplace } : {};
  class ContractResource extends pulumi.CustomResource {
    constructor(name: string, args: Args<C>, options?: pulumi.CustomResourceOptions) {
      super(contract.type, name, { ...outputs, ...args }, { ...defaults, ...options });
    }
  }
  return ContractResource as unknown as ResourceClass<C>;
}
