import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/**
 * A resource class of an optional package, with the arguments and outputs that Kubewright uses. The packages are
 * optional, so their types are not available.
 */
export type ResourceType<Args, Outputs = object> = new (
  name: string,
  args: Args,
  options?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource & Outputs;

/** Arguments whose values may be outputs of other resources. */
export type InputArgs<T> = { [K in keyof T]: pulumi.Input<T[K]> };

/** Returns the id of a resource of a package that takes ids as numbers. Pulumi keeps them as strings. */
export function numberOf(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply(Number);
}

const bundled = new Map<string, unknown>();

/**
 * Registers an optional package for programs that are bundled into one file, where it cannot be loaded by its name.
 *
 * @example
 * import * as hcloud from "@pulumi/hcloud";
 * giveSdk("@pulumi/hcloud", hcloud);
 */
export function giveSdk(name: string, sdk: unknown): void {
  bundled.set(name, sdk);
}

/**
 * Loads an optional package. It is loaded when its first resource is created, so only users of such resources need to
 * install it.
 * @param user What needs the package, in the plural.
 * @throws pulumi.RunError with the installation command.
 */
export function loadSdk<T>(name: string, user = "machines of this kind"): T {
  const given = bundled.get(name);
  if (given !== undefined) return given as T;
  try {
    // The package is a dependency of the program, which need not be installed beside this file.
    return createRequire(join(process.cwd(), "index.js"))(name) as T;
  } catch (error) {
    if ((error as { code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    throw new pulumi.RunError(`${user} need the package ${name}, which is not installed; run \`npm install ${name}\``);
  }
}
