import type { OutputMap } from "@pulumi/pulumi/automation";

/** Returns a stack output that is a string, or undefined. */
export function textOutput(outputs: OutputMap, name: string): string | undefined {
  const value: unknown = outputs[name]?.value;
  return typeof value === "string" ? value : undefined;
}
