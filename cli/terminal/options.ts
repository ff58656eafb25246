import { parseArgs } from "node:util";
import { StepError } from "../../common/errors";

export const DEFAULT_STACK = "dev";

export interface Options {
  stack: string;
  /** `--config key=value`, as often as wanted; `key` may be a path: `workers.count`. */
  config: Record<string, string>;
  /** `--name` flags of this command alone. */
  flags: Set<string>;
  /** `--name VALUE` of this command alone. */
  values: Partial<Record<string, string>>;
  words: string[];
}

/** What a person adds to a command that is to be about the same stack: ` --stack lab`. */
export function stackOption(stack: string): string {
  return stack === DEFAULT_STACK ? "" : ` --stack ${stack}`;
}

/** `npm start -- --stack lab` */
export function npmCommand(command: string, stack: string): string {
  const option = stackOption(stack);
  return `npm ${command}${option && ` --${option}`}`;
}

/** Options that every command knows, and the flags and values of this one. */
export function parseOptions(
  args: readonly string[],
  flags: readonly string[] = [],
  valued: readonly string[] = [],
): Options {
  const own: Own = Object.fromEntries(
    [...flags, ...valued].map((name) => [name, { type: flags.includes(name) ? "boolean" : "string" }]),
  );
  const { values, positionals } = parse([...args], own);
  return {
    stack: checkStack(typeof values.stack === "string" ? values.stack : DEFAULT_STACK),
    config: Object.fromEntries(listOf(values.config).map(pair)),
    flags: new Set(flags.filter((flag) => values[flag] === true)),
    values: Object.fromEntries(
      valued.map((name) => [name, values[name]]).filter((one): one is [string, string] => typeof one[1] === "string"),
    ),
    words: positionals,
  };
}

/** The one thing that a command is about, such as a node's name. */
export function onlyWord({ words }: Options, what: string): string {
  const [word, ...more] = words;
  if (word !== undefined && more.length === 0) return word;
  throw new StepError({
    step: "reading the command line",
    cause: `${words.length} names were given`,
    action: `name one ${what}, like ${what === "node" ? "worker-2" : what}`,
  });
}

/** A whole number from 1 on. */
export function numberOption({ values }: Options, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new StepError({
    step: `reading --${name}`,
    cause: `"${text}" is no number`,
    action: "give a whole number from 1 on",
  });
}

type Own = Record<string, { type: "boolean" | "string" }>;
type Parsed = { values: Record<string, unknown>; positionals: string[] };

function parse(args: string[], own: Own): Parsed {
  try {
    const known = {
      stack: { type: "string" as const, short: "s" },
      config: { type: "string" as const, short: "c", multiple: true },
    };
    const parsed: Parsed = parseArgs({ args, allowPositionals: true, options: { ...known, ...own } });
    return parsed;
  } catch (error) {
    const flags = [
      "--stack NAME",
      "--config KEY=VALUE",
      ...Object.entries(own).map(([name, { type }]) => `--${name}${type === "string" ? " VALUE" : ""}`),
    ].join(", ");
    throw new StepError({
      step: "reading the command line",
      cause: error instanceof Error ? error.message : String(error),
      action: `known are ${flags}`,
    });
  }
}

/** The name becomes part of paths and of Docker's names. */
function checkStack(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) return name;
  throw new StepError({
    step: "reading --stack",
    cause: `"${name}" is no stack name`,
    action: "use up to 32 lower case letters, digits and hyphens",
  });
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new StepError({ step: "reading --config", cause: `"${text}" has no "="`, action: "write --config key=value" });
}
