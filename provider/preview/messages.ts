import { SECRET_WORD, isObject } from "../rpc/values";
import { yamlText } from "../../render/json";
import { repository, type Difference, type Program } from "./differences";
import { isKnown } from "./values";
import { lineDiff } from "./line-diff";

/** The messages of one kind of difference. */
interface Messages<D> {
  /** Describes the difference as drift: the current state, beside the configured one. */
  drift: (difference: D) => string;
  /** Describes the difference as a plan: what a run changes. */
  plan: (difference: D) => string;
}

type MessageTable = { readonly [K in Difference["of"]]: Messages<Extract<Difference, { of: K }>> };
export type MessageKind = keyof Messages<never>;

/** Returns the message for a difference; the diff of a text has several lines. */
export function messageOf(difference: Difference, kind: MessageKind): string {
  const messages = MESSAGES[difference.of] as Messages<Difference>;
  return messages[kind](difference);
}

const MESSAGES: MessageTable = {
  file: {
    drift: ({ path, current, desired }) =>
      current === undefined
        ? `${path} is missing`
        : desired === undefined
          ? `${path} exists, but is not configured`
          : `${path} was changed${textDiff(current, desired)}`,
    plan: ({ path, current, desired }) =>
      current === undefined
        ? `${path} is written`
        : desired === undefined
          ? `${path} is removed`
          : `${path} changes${textDiff(current, desired)}`,
  },
  mode: {
    drift: ({ path, current, desired }) => `${path} has mode ${current}, not ${desired}`,
    plan: ({ path, current, desired }) => `${path}: mode changes from ${current} to ${desired}`,
  },
  binary: {
    drift: ({ path, current, desired }) => {
      if (current === undefined) return `${path} is missing`;
      if (desired === undefined) return `${path} exists, but is not configured`;
      return current.sha256.startsWith("mode ")
        ? `${path} has ${current.sha256}`
        : `${path} differs: SHA-256 ${short(current)}, not ${short(desired)}`;
    },
    plan: ({ path, current, desired }) => {
      if (desired === undefined) return `${path} is removed`;
      const version = desired.version === undefined ? "" : ` ${desired.version}`;
      if (current === undefined) return `${path}${version} is copied (SHA-256 ${short(desired)})`;
      if (current.sha256.startsWith("mode ")) return `${path}: mode is restored (${current.sha256})`;
      return `${path} ${programChange(current, desired)} (SHA-256 ${short(current)} -> ${short(desired)})`;
    },
  },
  sysctl: {
    drift: ({ name, current, desired }) =>
      desired === undefined
        ? `${name} is ${current ?? ""}, but no longer configured`
        : `${name} is ${current ?? "not set"}, not ${desired}`,
    plan: ({ name, current, desired }) =>
      desired === undefined ? `${name} keeps its value until the next boot` : `${name} ${change(current, desired)}`,
  },
  problem: {
    drift: (difference) => problemText(difference),
    plan: (difference) => `${problemText(difference)}: repaired`,
  },
  renewal: {
    drift: ({ certificates }) => certificates,
    plan: ({ certificates }) => `${certificates}: renewed`,
  },
  recordedRenewal: {
    drift: () => "certificates end soon by the state",
    plan: () =>
      "certificates end soon by the state: renewed, unless the timer has done so since; `--refresh` reads them",
  },
  enabled: {
    drift: ({ unit, desired }) => `${unit} is ${desired ? "disabled" : "enabled"}`,
    plan: ({ unit, desired }) => `${unit} is ${desired ? "enabled" : "disabled"}`,
  },
  running: {
    drift: ({ unit, desired }) => `${unit} is ${desired ? "stopped" : "running"}`,
    plan: ({ unit, desired }) => `${unit} is ${desired ? "started" : "stopped"}`,
  },
  restart: {
    drift: ({ unit, cause }) => `${unit} must restart: ${cause} has changed`,
    plan: ({ unit, cause }) => `${unit} restarts, because ${cause} changes`,
  },
  package: {
    drift: ({ name }) => `package ${name} is not installed`,
    plan: ({ name }) => `package ${name} is installed`,
  },
  image: {
    drift: ({ ref }) => `image ${ref} is missing`,
    plan: ({ ref, present }) =>
      present === undefined
        ? `image ${ref} is loaded`
        : `image ${repository(ref)} changes from ${tag(present)} to ${tag(ref)}`,
  },
  kubelet: {
    drift: ({ node, current, desired }) =>
      current === desired ? `${node} runs another kubelet` : `${node} runs kubelet ${current}, not ${desired}`,
    plan: ({ node, current, desired }) =>
      current === desired
        ? `the kubelet of ${node} is replaced`
        : `the kubelet of ${node} changes from ${current} to ${desired}`,
  },
  cordoned: {
    drift: ({ node }) => `${node} is cordoned`,
    plan: ({ node }) => `${node} is uncordoned`,
  },
  label: {
    drift: ({ node, key, current, desired }) =>
      current === undefined
        ? `label ${key} of ${node} is missing`
        : desired === undefined
          ? `label ${key} of ${node} is no longer configured`
          : `label ${key} of ${node} is ${current}, not ${desired}`,
    plan: ({ node, key, current, desired }) =>
      desired === undefined
        ? `label ${key} of ${node} is removed`
        : current === undefined
          ? `${node} is labeled ${key}=${desired}`
          : `label ${key} of ${node} changes from ${current} to ${desired}`,
  },
  annotation: {
    drift: ({ node, key }) => `annotation ${key} of ${node} differs from the configuration`,
    plan: ({ node, key, desired }) => `annotation ${key} of ${node} is ${desired === undefined ? "removed" : "set"}`,
  },
  taint: {
    drift: ({ node, taint, desired }) =>
      desired ? `taint ${taint} of ${node} is missing` : `taint ${taint} of ${node} is no longer configured`,
    plan: ({ node, taint, desired }) =>
      desired ? `${node} is tainted ${taint}` : `taint ${taint} of ${node} is removed`,
  },
  entry: {
    drift: ({ name, current, desired }) => {
      if (current === undefined) return `${name} is missing in /etc/hosts`;
      const expected = desired === undefined ? "but no longer configured" : `not ${desired}`;
      return `${name} in /etc/hosts is ${current}, ${expected}`;
    },
    plan: ({ name, current, desired }) => {
      if (desired === undefined) return `${name} is removed from /etc/hosts`;
      const address = isKnown(desired) ? desired : "its new address";
      return current === undefined
        ? `${name} is added to /etc/hosts as ${address}`
        : `${name} in /etc/hosts changes from ${current} to ${address}`;
    },
  },
  stopped: {
    drift: () => "the machine is stopped",
    plan: () => "the machine is started",
  },
  unfinished: {
    drift: () => "the last change did not complete",
    plan: () => "the interrupted change is completed",
  },
  property: {
    drift: ({ path }) => `${path} differs from the configuration`,
    plan: ({ path, current, desired }) => `${path} ${change(current, desired)}`,
  },
};

function programChange(current: Program, desired: Program): string {
  if (current.version === desired.version) return "changes";
  return `changes from ${current.version ?? "another version"} to ${desired.version ?? "another version"}`;
}

function problemText({ unit, problem }: Extract<Difference, { of: "problem" }>): string {
  return unit === undefined ? problem : `${unit} is ${problem}`;
}

/**
 * Describes a changed value: `changes from a to b`, or a diff of longer texts. An output has neither a current nor a
 * desired value in a plan.
 */
export function change(current: unknown, desired: unknown): string {
  if (!isKnown(desired))
    return desired === SECRET_WORD ? "changes (a secret)" : "changes; the new value is not known yet";
  if (desired === undefined) return current === undefined ? "is recorded in the state" : "is removed";
  const [before, after] = [asText(current), asText(desired)];
  if (![current, desired].every(isShort)) return `changes${textDiff(before, after)}`;
  return current === undefined ? `is set to ${after}` : `changes from ${before} to ${after}`;
}

/** Describes a changed value on one line. */
export function briefly(current: unknown, desired: unknown): string {
  return isKnown(desired) && [current, desired].every(isShort) ? change(current, desired) : "changes";
}

/** Characters of a value that is printed in full. */
const MAX_SHORT = 60;

function isShort(value: unknown): boolean {
  return typeof value !== "object" && !/[\n]/.test(asText(value)) && asText(value).length <= MAX_SHORT;
}

function asText(value: unknown): string {
  if (value === undefined || typeof value === "string") return value ?? "";
  return isObject(value) || Array.isArray(value) ? yamlText(value) : JSON.stringify(value);
}

function textDiff(current: string, desired: string): string {
  if (current.includes(SECRET_WORD) || desired.includes(SECRET_WORD)) return " (its content is a secret)";
  return isKnown(desired) ? `:\n${lineDiff(current, desired)}` : "; the new content is not known yet";
}

function short({ sha256 }: Program): string {
  return `${sha256.slice(0, 12)}...`;
}

function tag(ref: string): string {
  return ref.slice(ref.lastIndexOf(":") + 1);
}
