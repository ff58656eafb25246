import { isWithin } from "../rpc/diff";
import { SECRET_WORD, UNKNOWN_STRING, formatPath, isObject } from "../rpc/values";
import { valuesOf, type Step, type Values } from "./step";

/** What two descriptions of one thing on a machine or in the cluster differ in. Absent is: not there. */
export type Difference =
  | { of: "file"; path: string; found?: string; wanted?: string }
  | { of: "mode"; path: string; found: string; wanted: string }
  | { of: "binary"; path: string; found?: Program; wanted?: Program }
  | { of: "sysctl"; name: string; found?: string; wanted?: string }
  /** What a look at the machine found wrong beyond the values; `unit`: of this unit. */
  | { of: "trouble"; unit?: string; trouble: string }
  | { of: "enabled"; unit: string; wanted: boolean }
  | { of: "running"; unit: string; wanted: boolean }
  /** What a unit is started anew for. */
  | { of: "cause"; unit: string; cause: string }
  | { of: "package"; name: string }
  /** `instead`: the same image of another version, which is there. */
  | { of: "image"; ref: string; instead?: string }
  | { of: "cordoned"; node: string }
  | { of: "label"; node: string; key: string; found?: string; wanted?: string }
  | { of: "annotation"; node: string; key: string; found?: string; wanted?: string }
  | { of: "taint"; node: string; taint: string; wanted: boolean }
  | { of: "entry"; name: string; found?: string; wanted?: string }
  | { of: "stopped" }
  | { of: "property"; path: string; found?: unknown; wanted?: unknown };

/** By its SHA-256 (or what is wrong with its mode), and its version where the name of its place in the cache says it. */
export interface Program {
  sha256: string;
  version?: string;
}

/** In the order in which they are told. What no rule knows is still told, by its path. */
export function differencesOf(step: Step): Difference[] {
  const known = RULES[step.kind]?.(step) ?? [];
  if (known.length === 0) return properties(step);
  return [
    ...known,
    ...properties(step).filter((one) => one.of === "property" && one.path in step.wanted && !isKnown(one.wanted)),
  ];
}

const RULES: Record<string, (step: Step) => Difference[]> = {
  Files: files,
  Unit: (step) => [...unit(step), ...files(step)],
  StaticPod: (step) => [...trouble(step, `pod ${nameOfPod(step)}`), ...files(step), ...properties(step, "manifest")],
  Kernel: (step) => [
    ...trouble(step),
    ...maps(step, "sysctls").map(({ key, ...values }): Difference => ({ of: "sysctl", name: key, ...values })),
    ...properties(step, "modules"),
  ],
  Binaries: binaries,
  Packages: ({ found, wanted }) =>
    missing(list(found.packages), list(wanted.packages)).map((name) => ({ of: "package", name })),
  Images: images,
  Node: node,
  Hosts: (step) =>
    maps(step, "entries").map(({ key, ...values }): Difference => ({ of: "entry", name: key, ...values })),
  Init: (step) => [...trouble(step), ...properties(step, "documents")],
  Kubeconfig: (step) => trouble(step),
  Machine: (step) => [
    ...(step.found.running === false ? [{ of: "stopped" } as const] : []),
    ...properties(step).filter((one) => one.of !== "property" || one.path !== "running"),
  ],
};

function unit(step: Step): Difference[] {
  const { found, wanted } = step;
  const name = text(wanted.unit);
  const isTold = found.problem !== undefined;
  return [
    ...trouble(step, name),
    ...(found.enabled === wanted.enabled
      ? []
      : [{ of: "enabled", unit: name, wanted: wanted.enabled === true } as const]),
    ...(found.running === wanted.running || isTold
      ? []
      : [{ of: "running", unit: name, wanted: wanted.running === true } as const]),
    ...maps(step, "restartOn").map(({ key }): Difference => ({ of: "cause", unit: name, cause: key })),
  ];
}

function trouble({ found }: Step, of?: string): Difference[] {
  if (found.problem === undefined) return [];
  return text(found.problem)
    .split("; ")
    .map((one) => ({ of: "trouble", trouble: one, ...(of === undefined ? {} : { unit: of }) }));
}

function nameOfPod({ wanted }: Step): string {
  return text(valuesOf(valuesOf(wanted.manifest).metadata).name);
}

function files(step: Step): Difference[] {
  return maps(step, "files").flatMap(({ key: path, at, whole: [is, should] }): Difference[] => {
    if (is === undefined) return [{ of: "file", path, wanted: text(valuesOf(should).content) }];
    if (should === undefined) return [{ of: "file", path, found: text(valuesOf(is).content) }];
    const [one, other] = [valuesOf(is), valuesOf(should)];
    return [
      ...(one.mode === other.mode
        ? []
        : [{ of: "mode" as const, path, found: text(one.mode), wanted: text(other.mode) }]),
      ...(differs(step, [...at, "content"], one.content, other.content)
        ? [{ of: "file" as const, path, found: text(one.content), wanted: text(other.content) }]
        : []),
    ];
  });
}

function binaries(step: Step): Difference[] {
  return maps(step, "files").map(({ key: path, found, wanted }) => ({
    of: "binary",
    path,
    ...(found === undefined ? {} : { found: program(found, step.found) }),
    ...(wanted === undefined ? {} : { wanted: program(wanted, step.wanted) }),
  }));
}

/** Files of the cache are below `<name>-<version>-<architecture>-...`. */
function program(sha256: string, { sources }: Values): Program {
  const version = /-(\d+\.\d+\.\d+)-/.exec(text(valuesOf(sources)[sha256] ?? ""))?.[1];
  return { sha256, ...(version === undefined ? {} : { version }) };
}

function images({ found, wanted }: Step): Difference[] {
  const refs = (values: Values) =>
    Object.values(valuesOf(values.archives))
      .flatMap((archive) => list(valuesOf(archive).refs))
      .concat(list(values.pull));
  const [there, should] = [refs(found), refs(wanted)];
  return missing(there, should).map((ref) => {
    const instead = there.find((other) => repository(other) === repository(ref) && !should.includes(other));
    return { of: "image", ref, ...(instead === undefined ? {} : { instead }) };
  });
}

export function repository(ref: string): string {
  return ref.slice(0, ref.lastIndexOf(":"));
}

function node(step: Step): Difference[] {
  const { found, wanted } = step;
  const name = text(wanted.node);
  const taint = (value: unknown) =>
    `${text(valuesOf(value).key)}=${text(valuesOf(value).value ?? "")}:${text(valuesOf(value).effect)}`;
  const taints = (values: Values) => (Array.isArray(values.taints) ? values.taints.map(taint) : []);
  const [there, should] = [taints(found), taints(wanted)];
  return [
    ...(found.schedulable === false && wanted.schedulable === true ? [{ of: "cordoned", node: name } as const] : []),
    ...maps(step, "labels").map((one): Difference => ({ of: "label", node: name, ...one })),
    ...maps(step, "annotations").map((one): Difference => ({ of: "annotation", node: name, ...one })),
    ...missing(there, should).map((one): Difference => ({ of: "taint", node: name, taint: one, wanted: true })),
    ...missing(should, there).map((one): Difference => ({ of: "taint", node: name, taint: one, wanted: false })),
  ];
}

/** By their paths; of those below `within`, where that is given. */
function properties({ found, wanted, paths }: Step, within?: string): Difference[] {
  const keys = [...new Set([...Object.keys(found), ...Object.keys(wanted)])].filter(
    (key) => JSON.stringify(found[key]) !== JSON.stringify(wanted[key]),
  );
  const all = (paths.length > 0 ? paths : keys).filter((path) => within === undefined || isWithin(path, within));
  return all.map((path) => ({ of: "property", path, found: valueAt(found, path), wanted: valueAt(wanted, path) }));
}

/** `files["/etc/x"].mode`, `documents[1].kind` */
export function valueAt(root: unknown, path: string): unknown {
  const parts = [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, index, quoted, plain]) => index ?? quoted?.replaceAll('\\"', '"') ?? plain ?? "",
  );
  return parts.reduce<unknown>(
    (value, part) => (Array.isArray(value) ? (value as unknown[])[Number(part)] : valuesOf(value)[part]),
    root,
  );
}

interface Entry {
  key: string;
  /** Its path. */
  at: string[];
  found?: string;
  wanted?: string;
  /** Both, as they are. */
  whole: [unknown, unknown];
}

/** The entries in which two maps differ. A map that is unknown or a secret as a whole has none that could be told. */
function maps(step: Step, property: string): Entry[] {
  const [is, should] = [step.found[property], step.wanted[property]];
  if ([is, should].some((map) => map !== undefined && !isObject(map))) return [];
  const [found, wanted] = [valuesOf(is), valuesOf(should)];
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((key) => differs(step, [property, key], found[key], wanted[key]))
    .map((key) => ({
      key,
      at: [property, key],
      ...(found[key] === undefined ? {} : { found: text(found[key]) }),
      ...(wanted[key] === undefined ? {} : { wanted: text(wanted[key]) }),
      whole: [found[key], wanted[key]],
    }));
}

/** Two secrets look the same: whether they are, the provider has told. */
function differs({ paths }: Step, at: readonly string[], found: unknown, wanted: unknown): boolean {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) return true;
  const path = formatPath(at);
  return (
    (one ?? "").includes(SECRET_WORD) && paths.some((changed) => isWithin(changed, path) || isWithin(path, changed))
  );
}

export function isKnown(value: unknown): boolean {
  return value !== SECRET_WORD && !JSON.stringify(value ?? "").includes(UNKNOWN_STRING);
}

function missing(there: readonly string[], wanted: readonly string[]): string[] {
  return wanted.filter((one) => !there.includes(one));
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
