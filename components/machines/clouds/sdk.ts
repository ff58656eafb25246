import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** A resource class of a cloud's package, with only those arguments and outputs that we use: the packages are not ours to install. */
export type Class<Args, Outputs = object> = new (
  name: string,
  args: Args,
  options?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource & Outputs;

/** Arguments as a package takes them. */
export type Args<T> = { [K in keyof T]: pulumi.Input<T[K]> };

const given = new Map<string, unknown>();

/** For programs that are bundled into one file, and have the package in there: `give("@pulumi/hcloud", hcloud)`. */
export function give(name: string, sdk: unknown): void {
  given.set(name, sdk);
}

/**
 * A cloud's package, loaded when a machine of that cloud is wanted: who uses none installs none.
 * @throws pulumi.RunError that says what to install.
 */
export function load<T>(name: string): T {
  if (given.has(name)) return given.get(name) as T;
  try {
    // The program's own, which need not be beside this file.
    return createRequire(join(process.cwd(), "index.js"))(name) as T;
  } catch (error) {
    if ((error as { code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    throw new pulumi.RunError(
      `machines of this kind need the package ${name}, which is not installed; run \`npm install ${name}\``,
    );
  }
}
