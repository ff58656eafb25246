import { optional } from "../../common/optional";
import { isWithin } from "../rpc/diff";
import { UNFINISHED } from "../rpc/state";
import { RENEW_AFTER } from "./notices";
import { valuesOf, type Step, type Values } from "./step";
import { differingEntries, differs, isKnown, missing, textOf, textsOf, valueAt } from "./values";

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
  /** Certificates whose time has come by the state, which does not know what a timer has renewed since. */
  | { of: "recordedRenewal" }
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
    ...differingEntries(step, "sysctls").map(({ key, ...values }): Difference => ({
      of: "sysctl",
      name: key,
      ...values,
    })),
    ...properties(step, "modules"),
  ],
  Binaries: binaries,
  Packages: ({ current, desired }) =>
    missing(textsOf(current.packages), textsOf(desired.packages)).map((name) => ({ of: "package", name })),
  Images: images,
  Node: node,
  Hosts: (step) =>
    differingEntries(step, "entries").map(({ key, ...values }): Difference => ({ of: "entry", name: key, ...values })),
  Init: problem,
  ControlPlane: (step) => [...controlPlaneProblem(step), ...properties(step, "documents")],
  ClusterConfiguration: (step) => [...problem(step), ...properties(step, "documents")],
  Kubeconfig: (step) => [
    ...problem(step),
    ...(step.paths.includes("sha256") ? [{ of: "file", path: textOf(step.desired.path), desired: "" } as const] : []),
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
  const name = textOf(desired.unit);
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
    ...(desired.keepsProgram === true ? [] : differingEntries(step, "restartOn")).map(({ key }): Difference => ({
      of: "restart",
      unit: name,
      cause: key,
    })),
  ];
}

function problem({ current }: Step, unit?: string): Difference[] {
  if (current.problem === undefined) return [];
  return textOf(current.problem)
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
  return isRecorded ? [...found, { of: "recordedRenewal" }] : found;
}

function nameOfPod({ desired }: Step): string {
  return textOf(valuesOf(valuesOf(desired.manifest).metadata).name);
}

function files(step: Step): Difference[] {
  return differingEntries(step, "files").flatMap(({ key: path, at, values }): Difference[] => {
    const [before, after] = [valuesOf(values.current), valuesOf(values.desired)];
    if (values.current === undefined) return [{ of: "file", path, desired: textOf(after.content) }];
    if (values.desired === undefined) return [{ of: "file", path, current: textOf(before.content) }];
    const content = { current: textOf(before.content), desired: textOf(after.content) };
    return [
      ...(before.mode === after.mode
        ? []
        : [{ of: "mode" as const, path, current: textOf(before.mode), desired: textOf(after.mode) }]),
      ...(differs(step, [...at, "content"], before.content, after.content)
        ? [{ of: "file" as const, path, ...content }]
        : []),
    ];
  });
}

function binaries(step: Step): Difference[] {
  return differingEntries(step, "files").map(({ key: path, current, desired }) => ({
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
  const version = /-(\d+\.\d+\.\d+)-/.exec(textOf(valuesOf(sources)[sha256] ?? ""))?.[1];
  return { sha256, ...optional({ version }) };
}

function images({ current, desired }: Step): Difference[] {
  const refs = (values: Values) =>
    Object.values(valuesOf(values.archives))
      .flatMap((archive) => textsOf(valuesOf(archive).refs))
      .concat(textsOf(values.pull));
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
  const name = textOf(desired.node);
  const taint = (value: unknown) =>
    `${textOf(valuesOf(value).key)}=${textOf(valuesOf(value).value ?? "")}:${textOf(valuesOf(value).effect)}`;
  const taints = (values: Values) => (Array.isArray(values.taints) ? values.taints.map(taint) : []);
  const [before, after] = [taints(current), taints(desired)];
  return [
    ...kubelet(step, name),
    ...(current.schedulable === false && desired.schedulable === true ? [{ of: "cordoned", node: name } as const] : []),
    ...differingEntries(step, "labels").map((one): Difference => ({ of: "label", node: name, ...one })),
    ...differingEntries(step, "annotations").map((one): Difference => ({ of: "annotation", node: name, ...one })),
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
  return [
    { of: "kubelet", node: name, current: textOf(current.version ?? ""), desired: textOf(desired.version ?? "") },
  ];
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
