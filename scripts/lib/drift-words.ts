import { labelOf } from "./text";

type Values = Record<string, unknown>;

/** A step that a preview with refresh would take: what was found, and what is configured. */
export interface FoundStep {
  op: string;
  urn: string;
  type: string;
  /** What the machine has: the inputs that would describe it. */
  found: Values;
  wanted: Values;
}

const LONGEST_DIFF = 20;

/** What was found, in the words of an operator; a diff of text is several lines. */
export function driftWords({ op, urn, type, found, wanted }: FoundStep): string[] {
  const kind = type.split(":").pop() ?? "";
  if (op === "delete") return [`${labelOf(urn)} is no longer configured, and would be taken away`];
  if (op === "create") return [GONE[kind]?.(wanted) ?? `${labelOf(urn)} is gone`];
  if (op !== "update") return [kind === "Host" || "instance" in wanted ? "the machine was rebuilt: everything on it is made anew" : `${labelOf(urn)} is made anew`];
  const words = WORDS[kind]?.(found, wanted) ?? [];
  return words.length > 0 ? words : otherPaths(found, wanted).map((path) => `${labelOf(urn)}: ${path} is not as configured`);
}

const GONE: Record<string, (wanted: Values) => string> = {
  Node: ({ node }) => `the node ${text(node)} is not in the cluster any more`,
  Join: () => "the machine is no member any more: it joins again",
  Init: () => "there is no control plane on it any more: it is made anew",
  Machine: () => "the machine is gone: it is made anew",
  Unit: ({ unit }) => `all files of ${text(unit)} are gone`,
  Binaries: () => "all binaries are gone",
  Files: () => "all files are gone",
};

const WORDS: Record<string, (found: Values, wanted: Values) => string[]> = {
  Files: (found, wanted) => files(found.files, wanted.files),
  Unit: (found, wanted) => [...unit(found, wanted), ...files(found.files, wanted.files)],
  Kernel: (found, wanted) => [...problems(found), ...maps(found.sysctls, wanted.sysctls, (name, is, should) => `${name} is ${is || "not there"}, not ${should}`)],
  Binaries: (found, wanted) => maps(found.files, wanted.files, binary),
  Packages: (found, wanted) => missing(found.packages, wanted.packages).map((name) => `the package ${name} is not installed`),
  Images: images,
  Node: node,
  Init: problems,
  Machine: ({ running }) => (running === false ? ["the machine is stopped"] : []),
};

function unit(found: Values, wanted: Values): string[] {
  const name = text(wanted.unit);
  return [
    ...problems(found).map((problem) => `${name} is ${problem}`),
    ...(found.enabled === wanted.enabled ? [] : [`${name} is ${found.enabled === true ? "enabled" : "disabled"}`]),
    ...(found.running === wanted.running || found.problem ? [] : [`${name} is ${found.running === true ? "running" : "stopped"}`]),
    ...maps(found.restartOn, wanted.restartOn, (cause) => `${name} is to be restarted: ${cause} is replaced`),
  ];
}

function problems({ problem }: Values): string[] {
  return problem === undefined ? [] : text(problem).split("; ");
}

function binary(path: string, is: string | undefined, should: string): string {
  if (is === undefined) return `${path} is missing`;
  return is.startsWith("mode ") ? `${path} has ${is}` : `${path} is another file: SHA-256 ${is.slice(0, 12)}..., not ${should.slice(0, 12)}...`;
}

function images(found: Values, wanted: Values): string[] {
  const refs = (values: Values) => Object.values(record(values.archives)).flatMap((archive) => list(record(archive).refs)).concat(list(values.pull));
  return missing(refs(found), refs(wanted)).map((ref) => `the image ${ref} is missing`);
}

function node(found: Values, wanted: Values): string[] {
  const name = text(wanted.node);
  const taint = (value: unknown) => `${text(record(value).key)}=${text(record(value).value ?? "")}:${text(record(value).effect)}`;
  const taints = (values: Values) => (Array.isArray(values.taints) ? values.taints.map(taint) : []);
  return [
    ...(found.schedulable === false && wanted.schedulable === true ? [`${name} is cordoned`] : []),
    ...maps(found.labels, wanted.labels, (key, is, should) => (is === undefined ? `${name} lacks the label ${key}` : `the label ${key} of ${name} is ${is}, not ${should}`)),
    ...maps(found.annotations, wanted.annotations, (key) => `the annotation ${key} of ${name} is not as configured`),
    ...missing(taints(found), taints(wanted)).map((one) => `${name} lacks the taint ${one}`),
  ];
}

function files(found: unknown, wanted: unknown): string[] {
  const paths = [...new Set([...Object.keys(record(wanted)), ...Object.keys(record(found))])];
  return paths.flatMap((path) => {
    const [is, should] = [record(found)[path], record(wanted)[path]];
    if (is === undefined) return [`${path} is missing`];
    if (should === undefined) return [`${path} is not to be there`];
    const [one, other] = [record(is), record(should)];
    return [
      ...(one.mode === other.mode ? [] : [`${path} has the mode ${text(one.mode)}, not ${text(other.mode)}`]),
      ...(one.content === other.content ? [] : [`${path} was changed:\n${lineDiff(text(one.content), text(other.content))}`]),
    ];
  });
}

/** The lines between the first and the last that differ: what is there, and what should be. */
export function lineDiff(found: string, wanted: string): string {
  const [is, should] = [found.split("\n"), wanted.split("\n")];
  let begin = 0;
  while (begin < Math.min(is.length, should.length) && is[begin] === should[begin]) begin++;
  let end = 0;
  while (end < Math.min(is.length, should.length) - begin && is[is.length - 1 - end] === should[should.length - 1 - end]) end++;
  const marked = (lines: string[], mark: string) => lines.slice(begin, lines.length - end).map((line) => `    ${mark} ${line}`);
  const all = [...marked(is, "-"), ...marked(should, "+")];
  const more = all.length > LONGEST_DIFF ? [`    and ${all.length - LONGEST_DIFF} lines more`] : [];
  return [`    line ${begin + 1}:`, ...all.slice(0, LONGEST_DIFF), ...more].join("\n");
}

function maps(found: unknown, wanted: unknown, say: (key: string, is: string | undefined, should: string) => string): string[] {
  const is = record(found);
  return Object.entries(record(wanted)).flatMap(([key, should]) => (is[key] === should ? [] : [say(key, is[key] === undefined ? undefined : text(is[key]), text(should))]));
}

function otherPaths(found: Values, wanted: Values): string[] {
  return [...new Set([...Object.keys(found), ...Object.keys(wanted)])].filter((key) => JSON.stringify(found[key]) !== JSON.stringify(wanted[key]));
}

function missing(found: unknown, wanted: unknown): string[] {
  const there = list(found);
  return list(wanted).filter((one) => !there.includes(one));
}

function record(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
