import { StepError } from "../../common/errors";

export const DEFAULT_STACK = "dev";

/** The arguments of a command. */
export interface Options {
  stack: string;
  /** Values of `--config key=value`; a key may be a path such as `workers.count`. */
  config: Record<string, string>;
  /** Names of the flags that are set, such as `force`. */
  flags: Set<string>;
  /** Values of the command's own options, by name. */
  values: Partial<Record<string, string>>;
  /** Positional arguments. */
  words: readonly string[];
}

/** Returns the option that directs another command to the same stack: ` --stack lab`; empty for the default stack. */
export function stackOption(stack: string): string {
  return stack === DEFAULT_STACK ? "" : ` --stack ${stack}`;
}

/** Returns a command line for the same stack: `npm start -- --stack lab`. */
export function npmCommand(command: string, stack: string): string {
  const option = stackOption(stack);
  return `npm ${command}${option && ` --${option}`}`;
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
