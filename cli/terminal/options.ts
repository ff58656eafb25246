import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";

export const DEFAULT_STACK = "dev";

/** The arguments of a command. */
export interface Options {
  stack: string;
  /** Values of `--config key=value`; a key may be a path such as `workers.count`. */
  config: Record<string, string>;
  /** Paths that a command removes from the configuration before it sets `config`. @default none */
  removed?: readonly string[];
  /** Names of the flags that are set, such as `force`. */
  flags: Set<string>;
  /** Values of the command's own options, by name. */
  values: Partial<Record<string, string>>;
  /** Positional arguments. */
  words: readonly string[];
}

/** Returns a command line for the same stack: `npm run node:drain -- worker-2 --stack lab`. */
export function stackCommand(command: string, stack: string, ...args: readonly string[]): string {
  return userCommand(command, ...args, stack === DEFAULT_STACK ? "" : `--stack ${stack}`);
}

/** Returns the positional argument of a command that requires one. */
export function nodeArgument({ words }: Options): string {
  return words[0] ?? "";
}

/** Returns the value of a numeric option. @throws StepError unless it is a whole number from 1 on. */
export function numberOption({ values }: Options, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new StepError({
    step: `reading --${name}`,
    cause: `"${text}" is not a whole number from 1 on`,
    action: `write for example --${name} 60`,
  });
}
