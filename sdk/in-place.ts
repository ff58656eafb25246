import type * as pulumi from "@pulumi/pulumi";

/**
 * What is on a machine has one place: the old goes before the new comes. The provider says so too in its diffs, but for a resource that
 * is replaced because a person asks (`--replace`, `--target-replace`, `state taint`) the engine asks for no diff, and goes by this alone:
 * without it the new one would take over the old one's place, and be removed with the old one.
 */
export function inPlace(options?: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
  return { deleteBeforeReplace: true, ...options };
}
