import { optional } from "../../common/optional";
import { isWithin } from "../rpc/diff";
import { UNFINISHED } from "../rpc/state";
import { SECRET_WORD, UNKNOWN_STRING, formatPath, isObject } from "../rpc/values";
import { RENEW_AFTER } from "./notices";
import { valuesOf, type Step, type Values } from "./step";

/**
 * A difference between the current and the desired state of something on a machine or in the cluster. An absent value
 * does not exist.
 */
export type Difference =
  | { of: "file"; path: string; current?: string; desired?: string }
  | { of: "mode"; path: string; current: string; desired: string }
  | { of: "binary"; path: string; current?: Program; desired?: Program }
  | { of: "sysctl"; name: string; current?: string; desired?: string }
  /** A problem that reading the machine revealed beyond the values, such as a failed unit. */
  | { of: "problem"; unit?: string; problem: string }
  /** Certificates that end soon. */
  | { of: "renewal"; certificates: string }
  | { of: "enabled"; unit: string; desired: boolean }
  | { of: "running"; unit: string; desired: boolean }
  /** A dependency whose change restarts a unit. */
  | { of: "restart"; unit: string; cause: string }
  | { of: "package"; name: string }
  /** `present`: another version of the same image that is present. */
  | { of: "image"; ref: string; present?: string }
  | { of: "kubelet"; node: string; current: string; desired: string }
  | { of: "cordoned"; node: string }
  | { of: "label"; node: string; key: string; current?: string; desired?: string }
  | { of: "annotation"; node: string; key: string; current?: string; desired?: string }
  | { of: "taint"; node: string; taint: string; desired: boolean }
  | { of: "entry"; name: string; current?: string; desired?: string }
  | { of: "stopped" }
  /** The last create or update failed after it had begun. */
  | { of: "unfinished" }
  | { of: "property"; path: string; current?: unknown; desired?: unknown };

/** An installed program. */
export interface Program {
  /** Its hash, or `mode 0644, not 0755` where only its mode differs. */
  sha256: string;
  /** Taken from its path in the artifact cache. */
  version?: string;
}

/** A refresh reports the certificates by their names: `certificates apiserver and admin.conf end, the first in ...`. */
export const ENDING_CERTIFICATES = /^certificates? /;

/**
 * Returns the differences in the order in which they are printed. Properties without a rule are reported by their path.
 */
export function differencesOf(step: Step): Difference[] {
  if (step.paths.includes(UNFINISHED)) return [{ of: "unfinished" }];
  const specific = RULES[step.kind]?.(step) ?? [];
  if (specific.length === 0) return properties(step);
  return [
    ...specific,
    ...properties(step).filter((one) => one.of === "property" && one.path in step.desired && !isKnown(one.desired)),
  ];
}

const RULES: Record<string, (step: Step) => Difference[]> = {
  Files: files,
  Unit: (step) => [...unit(step), ...files(step)],
  StaticPod: (step) => [...problem(step, `pod ${nameOfPod(step)}`), ...files(step), ...properties(step, "manifest")],
  Kernel: (step) => [
    ...problem(step),
    ...maps(step, "sysctls").map(({ key, ...values }): Difference => ({ of: "sysctl", name: key, ...values })),
    ...properties(step, "modules"),
  ],
  Binaries: binaries,
  Packages: ({ current, desired }) =>
    missing(list(current.packages), list(desired.packages)).map((name) => ({ of: "package", name })),
  Images: images,
  Node: node,
  Hosts: (step) =>
    maps(step, "entries").map(({ key, ...values }): Difference => ({ of: "entry", name: key, ...values })),
  Init: problem,
  ControlPlane: (step) => [...controlPlaneProblem(step), ...properties(step, "documents")],
  ClusterConfiguration: (step) => [...problem(step), ...properties(step, "documents")],
  Kubeconfig: (step) => [
    ...problem(step),
    ...(step.paths.includes("sha256") ? [{ of: "file", path: text(step.desired.path), desired: "" } as const] : []),
    ...(step.paths.includes(RENEW_AFTER)
      ? [{ of: "renewal", certificates: "the certificate in the kubeconfig ends soon" } as const]
      : []),
  ],
  Machine: (step) => [
    ...(step.current.running === false ? [{ of: "stopped" } as const] : []),
    ...properties(step).filter((one) => one.of !== "property" || one.path !== "running"),
  ],
};

function unit(step: Step): Difference[] {
  const { current, desired } = step;
  const name = text(desired.unit);
  const hasProblem = current.problem !== undefined; // which names the state more precisely than `running`
  return [
    ...problem(step, name),
    ...(current.enabled === desired.enabled
      ? []
      : [{ of: "enabled", unit: name, desired: desired.enabled === true } as const]),
    ...(current.running === desired.running || hasProblem
      ? []
      : [{ of: "running", unit: name, desired: desired.running === true } as const]),
    // Another resource replaces the program then.
    ...(desired.keepsProgram === true ? [] : maps(step, "restartOn")).map(({ key }): Difference => ({
      of: "restart",
      unit: name,
      cause: key,
    })),
  ];
}

function problem({ current }: Step, unit?: string): Difference[] {
  if (current.problem === undefined) return [];
  return text(current.problem)
    .split("; ")
    .map((one) => ({ of: "problem", problem: one, ...optional({ unit }) }));
}

/** A problem that a refresh found, or certificates whose recorded time has come. */
function controlPlaneProblem(step: Step): Difference[] {
  const found = problem(step).map((one): Difference => {
    const isRenewal = one.of === "problem" && ENDING_CERTIFICATES.test(one.problem);
    return isRenewal ? { of: "renewal", certificates: one.problem } : one;
  });
  const isRecorded = step.paths.includes(RENEW_AFTER) && !found.some(({ of }) => of === "renewal");
  return isRecorded ? [...found, { of: "renewal", certificates: "certificates end soon" }] : found;
}

function nameOfPod({ desired }: Step): string {
  return text(valuesOf(valuesOf(desired.manifest).metadata).name);
}

function files(step: Step): Difference[] {
  return maps(step, "files").flatMap(({ key: path, at, values }): Difference[] => {
    const [before, after] = [valuesOf(values.current), valuesOf(values.desired)];
    if (values.current === undefined) return [{ of: "file", path, desired: text(after.content) }];
    if (values.desired === undefined) return [{ of: "file", path, current: text(before.content) }];
    const content = { current: text(before.content), desired: text(after.content) };
    return [
      ...(before.mode === after.mode
        ? []
        : [{ of: "mode" as const, path, current: text(before.mode), desired: text(after.mode) }]),
      ...(differs(step, [...at, "content"], before.content, after.content)
        ? [{ of: "file" as const, path, ...content }]
        : []),
    ];
  });
}

function binaries(step: Step): Difference[] {
  return maps(step, "files").map(({ key: path, current, desired }) => ({
    of: "binary",
    path,
    ...optional({
      current: current === undefined ? undefined : program(current, step.current),
      desired: desired === undefined ? undefined : program(desired, step.desired),
    }),
  }));
}

/** Paths in the artifact cache begin with `<name>-<version>-<architecture>-`. */
function program(sha256: string, { sources }: Values): Program {
  const version = /-(\d+\.\d+\.\d+)-/.exec(text(valuesOf(sources)[sha256] ?? ""))?.[1];
  return { sha256, ...optional({ version }) };
}

function images({ current, desired }: Step): Difference[] {
  const refs = (values: Values) =>
    Object.values(valuesOf(values.archives))
      .flatMap((archive) => list(valuesOf(archive).refs))
      .concat(list(values.pull));
  const [loaded, required] = [refs(current), refs(desired)];
  return missing(loaded, required).map((ref) => {
    const present = loaded.find((other) => repository(other) === repository(ref) && !required.includes(other));
    return { of: "image", ref, ...optional({ present }) };
  });
}

/** Returns an image reference without its tag. */
export function repository(ref: string): string {
  return ref.slice(0, ref.lastIndexOf(":"));
}

function node(step: Step): Difference[] {
  const { current, desired } = step;
  const name = text(desired.node);
  const taint = (value: unknown) =>
    `${text(valuesOf(value).key)}=${text(valuesOf(value).value ?? "")}:${text(valuesOf(value).effect)}`;
  const taints = (values: Values) => (Array.isArray(values.taints) ? values.taints.map(taint) : []);
  const [before, after] = [taints(current), taints(desired)];
  return [
    ...kubelet(step, name),
    ...(current.schedulable === false && desired.schedulable === true ? [{ of: "cordoned", node: name } as const] : []),
    ...maps(step, "labels").map((one): Difference => ({ of: "label", node: name, ...one })),
    ...maps(step, "annotations").map((one): Difference => ({ of: "annotation", node: name, ...one })),
    ...missing(before, after).map((one): Difference => ({ of: "taint", node: name, taint: one, desired: true })),
    ...missing(after, before).map((one): Difference => ({ of: "taint", node: name, taint: one, desired: false })),
  ];
}

/** The node's kubelet: of another version, or another program of the same one. */
function kubelet({ current, desired }: Step, name: string): Difference[] {
  const isOther = ["version", "program"].some(
    (property) => current[property] !== undefined && current[property] !== desired[property],
  );
  if (!isOther) return [];
  return [{ of: "kubelet", node: name, current: text(current.version ?? ""), desired: text(desired.version ?? "") }];
}

/** Returns the differing properties by path, optionally only those below `within`. */
function properties({ current, desired, paths }: Step, within?: string): Difference[] {
  const keys = [...new Set([...Object.keys(current), ...Object.keys(desired)])].filter(
    (key) => JSON.stringify(current[key]) !== JSON.stringify(desired[key]),
  );
  const all = (paths.length > 0 ? paths : keys).filter((path) => within === undefined || isWithin(path, within));
  return all.map((path) => ({
    of: "property",
    path,
    current: valueAt(current, path),
    desired: valueAt(desired, path),
  }));
}

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

interface Entry {
  key: string;
  /** Path of the entry. */
  at: string[];
  current?: string;
  desired?: string;
  /** Both values before they were converted to text. */
  values: { current: unknown; desired: unknown };
}

/** Returns the entries in which two maps differ; none where a map is unknown or secret as a whole. */
function maps(step: Step, property: string): Entry[] {
  const both = [step.current[property], step.desired[property]];
  if (both.some((map) => map !== undefined && !isObject(map))) return [];
  const [current = {}, desired = {}] = both.map(valuesOf);
  return [...new Set([...Object.keys(desired), ...Object.keys(current)])]
    .filter((key) => differs(step, [property, key], current[key], desired[key]))
    .map((key) => ({
      key,
      at: [property, key],
      ...optional({
        current: current[key] === undefined ? undefined : text(current[key]),
        desired: desired[key] === undefined ? undefined : text(desired[key]),
      }),
      values: { current: current[key], desired: desired[key] },
    }));
}

/** Secrets are masked, so that two of them look equal: the paths that the provider reports decide. */
function differs({ paths }: Step, at: readonly string[], current: unknown, desired: unknown): boolean {
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

function missing(present: readonly string[], required: readonly string[]): string[] {
  return required.filter((one) => !present.includes(one));
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
