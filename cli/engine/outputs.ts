import type { OutputMap } from "@pulumi/pulumi/automation";
import { localPath } from "../../common/portable-path";

/** Returns the file on this computer that a stack output names by a portable path, or undefined. */
export function pathOutput(outputs: OutputMap, name: string): string | undefined {
  const path = textOutput(outputs, name);
  return path ? localPath(path) : undefined;
}

/** Returns a stack output that is a string, or undefined. */
export function textOutput(outputs: OutputMap, name: string): string | undefined {
  const value: unknown = outputs[name]?.value;
  return typeof value === "string" ? value : undefined;
}
