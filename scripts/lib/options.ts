import { parseArgs } from "node:util";
import { StepError } from "../../common/errors";

export const DEFAULT_STACK = "dev";

export interface Options {
  stack: string;
  /** `--config key=value`, as often as wanted; `key` may be a path: `workers.count`. */
  config: Record<string, string>;
  /** `--name` flags of this command alone. */
  flags: Set<string>;
  words: string[];
}

/** Options that every command knows, and the flags of this one. */
export function parseOptions(args: readonly string[], flags: readonly string[] = []): Options {
  const own = Object.fromEntries(flags.map((flag) => [flag, { type: "boolean" as const }]));
  const { values, positionals } = parse([...args], own);
  return {
    stack: checkStack(typeof values.stack === "string" ? values.stack : DEFAULT_STACK),
    config: Object.fromEntries(listOf(values.config).map(pair)),
    flags: new Set(flags.filter((flag) => values[flag] === true)),
    words: positionals,
  };
}

type Parsed = { values: Record<string, unknown>; positionals: string[] };

function parse(args: string[], own: Record<string, { type: "boolean" }>): Parsed {
  try {
    const known = { stack: { type: "string" as const, short: "s" }, config: { type: "string" as const, short: "c", multiple: true } };
    const parsed: Parsed = parseArgs({ args, allowPositionals: true, options: { ...known, ...own } });
    return parsed;
  } catch (error) {
    const flags = ["--stack NAME", "--config KEY=VALUE", ...Object.keys(own).map((flag) => `--${flag}`)].join(", ");
    throw new StepError({ step: "reading the command line", cause: error instanceof Error ? error.message : String(error), action: `known are ${flags}` });
  }
}

/** The name becomes part of paths and of Docker's names. */
function checkStack(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) return name;
  throw new StepError({ step: "reading --stack", cause: `"${name}" is no stack name`, action: "use up to 32 lower case letters, digits and hyphens" });
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new StepError({ step: "reading --config", cause: `"${text}" has no "="`, action: "write --config key=value" });
}
