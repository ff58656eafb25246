import { optional } from "../../common/optional";
import { isWithin } from "../rpc/diff";
import { SECRET_WORD, UNKNOWN_STRING, formatPath, isObject } from "../rpc/values";
import { valuesOf, type Step } from "./step";

/** Reads a value by its path, such as `files["/etc/x"].mode` or `documents[1].kind`. */
export function valueAt(root: unknown, path: string): unknown {
  const parts = [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, index, quoted, plain]) => index ?? quoted?.replaceAll('\\"', '"') ?? plain ?? "",
  );
  return parts.reduce<unknown>(
    (value, part) => (Array.isArray(value) ? (value as unknown[])[Number(part)] : valuesOf(value)[part]),
    root,
  );
}

/** A key of two maps, and what each has for it. */
export interface Entry {
  key: string;
  /** Path of the entry. */
  at: string[];
  current?: string;
  desired?: string;
  /** Both values before they were converted to text. */
  values: { current: unknown; desired: unknown };
}

/** Returns the entries in which two maps differ; none where a map is unknown or secret as a whole. */
export function differingEntries(step: Step, property: string): Entry[] {
  const both = [step.current[property], step.desired[property]];
  if (both.some((map) => map !== undefined && !isObject(map))) return [];
  const [current = {}, desired = {}] = both.map(valuesOf);
  return [...new Set([...Object.keys(desired), ...Object.keys(current)])]
    .filter((key) => differs(step, [property, key], current[key], desired[key]))
    .map((key) => ({
      key,
      at: [property, key],
      ...optional({
        current: current[key] === undefined ? undefined : textOf(current[key]),
        desired: desired[key] === undefined ? undefined : textOf(desired[key]),
      }),
      values: { current: current[key], desired: desired[key] },
    }));
}

/** Secrets are masked, so that two of them look equal: the paths that the provider reports decide. */
export function differs({ paths }: Step, at: readonly string[], current: unknown, desired: unknown): boolean {
  const before = JSON.stringify(current);
  if (before !== JSON.stringify(desired)) return true;
  const path = formatPath(at);
  return (
    (before ?? "").includes(SECRET_WORD) && paths.some((changed) => isWithin(changed, path) || isWithin(path, changed))
  );
}

/** Whether a value is neither secret nor unknown. */
export function isKnown(value: unknown): boolean {
  return value !== SECRET_WORD && !JSON.stringify(value ?? "").includes(UNKNOWN_STRING);
}

/** Returns those of `required` that are not `present`. */
export function missing(present: readonly string[], required: readonly string[]): string[] {
  return required.filter((one) => !present.includes(one));
}

/** Returns the items as text; none if it is not a list. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

/** Strings as they are, other values as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
