import { SECRET_WORD, isObject } from "../rpc/values";
import { yamlText } from "../../render/json";
import { isKnown, repository, type Difference, type Program } from "./differences";
import { lineDiff } from "./line-diff";

/** How one kind of difference is told in both directions. */
interface Sayings<D> {
  /** What is found on a machine, beside what is configured. */
  found: (difference: D) => string;
  /** What a run makes of it. */
  coming: (difference: D) => string;
}

type Vocabulary = { readonly [K in Difference["of"]]: Sayings<Extract<Difference, { of: K }>> };
export type Direction = keyof Sayings<never>;

/** In the words of an operator; a diff of text is several lines. */
export function sayingOf(difference: Difference, direction: Direction): string {
  const sayings = VOCABULARY[difference.of] as Sayings<Difference>;
  return sayings[direction](difference);
}

const VOCABULARY: Vocabulary = {
  file: {
    found: ({ path, found, wanted }) =>
      found === undefined
        ? `${path} is missing`
        : wanted === undefined
          ? `${path} is not to be there`
          : `${path} was changed${textDiff(found, wanted)}`,
    coming: ({ path, found, wanted }) =>
      found === undefined
        ? `${path} is written`
        : wanted === undefined
          ? `${path} is removed`
          : `${path} changes${textDiff(found, wanted)}`,
  },
  mode: {
    found: ({ path, found, wanted }) => `${path} has the mode ${found}, not ${wanted}`,
    coming: ({ path, found, wanted }) => `${path} gets the mode ${wanted} (it is ${found})`,
  },
  binary: {
    found: ({ path, found, wanted }) => {
      if (found === undefined) return `${path} is missing`;
      if (wanted === undefined) return `${path} is not to be there`;
      return found.sha256.startsWith("mode ")
        ? `${path} has ${found.sha256}`
        : `${path} is another file: SHA-256 ${short(found)}, not ${short(wanted)}`;
    },
    coming: ({ path, found, wanted }) => {
      if (wanted === undefined) return `${path} is removed`;
      const version = wanted.version === undefined ? "" : ` ${wanted.version}`;
      if (found === undefined) return `${path}${version} is copied (SHA-256 ${short(wanted)})`;
      if (found.sha256.startsWith("mode ")) return `${path} gets its mode back: it has ${found.sha256}`;
      return `${path} ${found.version === wanted.version ? "changes" : `moves from ${found.version ?? "another version"} to${version || " another"}`} (SHA-256 ${short(found)} -> ${short(wanted)})`;
    },
  },
  sysctl: {
    found: ({ name, found, wanted }) =>
      wanted === undefined
        ? `${name} is ${found ?? ""}, and not configured any more`
        : `${name} is ${found ?? "not there"}, not ${wanted}`,
    coming: ({ name, found, wanted }) =>
      wanted === undefined
        ? `${name} is left as it is until the next boot`
        : `${name} is set to ${wanted}${found === undefined ? "" : ` (it is ${found})`}`,
  },
  trouble: {
    found: ({ unit, trouble }) => (unit === undefined ? trouble : `${unit} is ${trouble}`),
    coming: ({ unit, trouble }) => `${unit === undefined ? trouble : `${unit} is ${trouble}`}: mended`,
  },
  enabled: {
    found: ({ unit, wanted }) => `${unit} is ${wanted ? "disabled" : "enabled"}`,
    coming: ({ unit, wanted }) => `${unit} is ${wanted ? "enabled" : "disabled"}`,
  },
  running: {
    found: ({ unit, wanted }) => `${unit} is ${wanted ? "stopped" : "running"}`,
    coming: ({ unit, wanted }) => `${unit} is ${wanted ? "started" : "stopped"}`,
  },
  cause: {
    found: ({ unit, cause }) => `${unit} is to be restarted: ${cause} is replaced`,
    coming: ({ unit, cause }) => `${unit} restarts: ${cause} is another`,
  },
  package: {
    found: ({ name }) => `the package ${name} is not installed`,
    coming: ({ name }) => `the package ${name} is installed`,
  },
  image: {
    found: ({ ref }) => `the image ${ref} is missing`,
    coming: ({ ref, instead }) =>
      instead === undefined
        ? `the image ${ref} is loaded`
        : `the image ${repository(ref)} moves from ${tag(instead)} to ${tag(ref)}`,
  },
  cordoned: {
    found: ({ node }) => `${node} is cordoned`,
    coming: ({ node }) => `${node} is uncordoned`,
  },
  label: {
    found: ({ node, key, found, wanted }) =>
      found === undefined
        ? `${node} lacks the label ${key}`
        : wanted === undefined
          ? `${node} has the label ${key}, which is not configured any more`
          : `the label ${key} of ${node} is ${found}, not ${wanted}`,
    coming: ({ node, key, found, wanted }) =>
      wanted === undefined
        ? `${node} loses the label ${key}`
        : `${node} gets the label ${key}=${wanted}${found === undefined ? "" : ` (it is ${found})`}`,
  },
  annotation: {
    found: ({ node, key }) => `the annotation ${key} of ${node} is not as configured`,
    coming: ({ node, key, wanted }) => `${node} ${wanted === undefined ? "loses" : "gets"} the annotation ${key}`,
  },
  taint: {
    found: ({ node, taint, wanted }) =>
      wanted ? `${node} lacks the taint ${taint}` : `${node} has the taint ${taint}, which is not configured any more`,
    coming: ({ node, taint, wanted }) => `${node} ${wanted ? "gets" : "loses"} the taint ${taint}`,
  },
  entry: {
    found: ({ name, found, wanted }) =>
      found === undefined
        ? `/etc/hosts lacks ${name}`
        : `/etc/hosts has ${name} as ${found}${wanted === undefined ? ", which is not configured any more" : `, not ${wanted}`}`,
    coming: ({ name, found, wanted }) => {
      if (wanted === undefined) return `/etc/hosts loses ${name}`;
      const address = isKnown(wanted) ? ` as ${wanted}` : " at its new address";
      return found === undefined
        ? `/etc/hosts gets ${name}${address}`
        : `/etc/hosts has ${name}${address} from then on (it is ${found})`;
    },
  },
  stopped: {
    found: () => "the machine is stopped",
    coming: () => "the machine is started",
  },
  property: {
    found: ({ path }) => `${path} is not as configured`,
    coming: ({ path, found, wanted }) => `${path} ${change(found, wanted)}`,
  },
};

/** `changes from a to b`, or the lines of what is longer. */
export function change(found: unknown, wanted: unknown): string {
  if (!isKnown(wanted))
    return wanted === SECRET_WORD ? "changes (a secret)" : "changes; how, shows when the run comes to it";
  if (wanted === undefined) return "goes";
  const [is, should] = [asText(found), asText(wanted)];
  if (![found, wanted].every(isWord)) return `changes${textDiff(is, should)}`;
  return found === undefined ? `becomes ${should}` : `changes from ${is} to ${should}`;
}

/** The same on one line. */
export function briefly(found: unknown, wanted: unknown): string {
  return isKnown(wanted) && [found, wanted].every(isWord) ? change(found, wanted) : "changes";
}

const LONGEST_WORD = 60;

function isWord(value: unknown): boolean {
  return typeof value !== "object" && !/[\n]/.test(asText(value)) && asText(value).length <= LONGEST_WORD;
}

function asText(value: unknown): string {
  if (value === undefined || typeof value === "string") return value ?? "";
  return isObject(value) || Array.isArray(value) ? yamlText(value) : JSON.stringify(value);
}

function textDiff(found: string, wanted: string): string {
  if (found.includes(SECRET_WORD) || wanted.includes(SECRET_WORD)) return " (its content is a secret)";
  return isKnown(wanted) ? `:\n${lineDiff(found, wanted)}` : "; how, shows when the run comes to it";
}

function short({ sha256 }: Program): string {
  return `${sha256.slice(0, 12)}...`;
}

function tag(ref: string): string {
  return ref.slice(ref.lastIndexOf(":") + 1);
}
