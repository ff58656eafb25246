import { Command, CommanderError, Option } from "commander";
import { StepError } from "../../common/errors";
import { isCalledByNpm, userCommand } from "../../common/user-command";
import { DEFAULT_STACK, type Options } from "./options";

/** Everything that the command line, its help and its checks need to know about a command. */
export interface CommandDefinition {
  /** What the user types after the name of the program: `node drain`. */
  name: string;
  /** First line of the help. */
  summary: string;
  /** Further lines of the help, such as exit codes. */
  details?: string;
  /** The positional arguments, such as `<node>`. @default none */
  arguments?: readonly (readonly [name: string, description: string])[];
  options?: readonly OptionDefinition[];
  /** Stack without `--stack`. @default "dev" */
  defaultStack?: string;
  /** Whether the command works on a stack. @default true */
  hasStack?: boolean;
  /** Whether the command needs a project. @default the value of hasStack */
  hasProject?: boolean;
  /** Whether the command takes `--config key=value`. @default false */
  hasConfig?: boolean;
  /** Exit code of a failed command. @default 1 */
  failureCode?: number;
  /** Command lines after `usage`, each with what it does. */
  examples: readonly (readonly [args: string, explanation: string])[];
}

/** `--force` is a flag; `--timeout <seconds>` takes a value. */
export type OptionDefinition = readonly [flags: string, description: string, choices?: readonly string[]];

export type CommandLine = { help: string } | { options: Options };

/**
 * Reads the arguments of a command.
 * @param env environment in which npm leaves the options that it kept for itself
 * @throws StepError for unknown options, unexpected arguments and malformed values
 */
export function parseCommandLine(
  definition: CommandDefinition,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): CommandLine {
  const command = commandOf(definition);
  let output = "";
  command.configureOutput({
    writeOut: (text) => (output += text),
    writeErr: () => undefined,
    getOutHelpWidth: () => 100,
  });
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { help: output };
    throw refusal(definition, causeOf(error, command), env);
  }
  refuseOptionsKeptByNpm(definition, command, env);
  return { options: optionsOf(definition, command) };
}

/** Options of every command. */
export const COMMON_OPTIONS: readonly OptionDefinition[] = [
  ["--quiet", "print only results and errors"],
  ["--verbose", "print every progress message, and the stack trace of an error"],
  ["--no-color", "print without colors"],
];

/** The options alone. For commands outside the table, which print no help of their own. */
export function parseOptions(definition: CommandDefinition, args: readonly string[]): Options {
  const parsed = parseCommandLine(definition, args);
  if ("options" in parsed) return parsed.options;
  process.stdout.write(parsed.help);
  process.exit(0);
}

function commandOf(definition: CommandDefinition): Command {
  const { name, arguments: positional = [], hasStack = true, hasConfig = false } = definition;
  const command = new Command(userCommand(name))
    .exitOverride()
    .usage([...(isCalledByNpm() ? ["--"] : []), "[options]", ...positional.map(([word]) => word)].join(" "))
    .description([definition.summary, definition.details].filter(Boolean).join("\n\n"))
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false)
    .addHelpText("after", `\nExamples:\n${examplesOf(definition)}`);
  for (const [word, description] of positional) command.argument(word, description);
  if (hasStack)
    command.option("-s, --stack <name>", "stack to work on", checkStack, definition.defaultStack ?? DEFAULT_STACK);
  if (hasConfig) command.option("-c, --config <key=value>", "set a configuration property; repeatable", addPair, {});
  for (const [flags, description, choices] of optionDefinitions(definition)) {
    const option = new Option(flags, description);
    command.addOption(choices ? option.choices(choices) : option);
  }
  return command;
}

function optionDefinitions({ options = [] }: CommandDefinition): readonly OptionDefinition[] {
  return [...options, ...COMMON_OPTIONS];
}

function examplesOf({ name, examples }: CommandDefinition): string {
  const lines = examples.map(([args, explanation]) => [userCommand(name, args), explanation] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  return lines.map(([line, explanation]) => `  ${line.padEnd(width)}   ${explanation}`).join("\n");
}

function optionsOf(definition: CommandDefinition, command: Command): Options {
  const names = optionDefinitions(definition).map(([flags]) => new Option(flags));
  const values: Record<string, unknown> = command.opts();
  const withType = <T>(type: string) =>
    names.flatMap((option): [string, T][] => {
      const value = values[option.attributeName()];
      return typeof value === type ? [[option.name(), value as T]] : [];
    });
  return {
    stack: (values.stack as string | undefined) ?? DEFAULT_STACK,
    config: (values.config ?? {}) as Record<string, string>,
    flags: new Set(withType<boolean>("boolean").flatMap(([name, value]) => (isGiven(name, value) ? [name] : []))),
    values: Object.fromEntries(withType<string>("string")),
    words: command.args,
  };
}

/** The value of `--no-color` is true unless the option is given. */
function isGiven(name: string, value: boolean): boolean {
  return value !== name.startsWith("no-");
}

/** Names that npm itself knows: it sets their variables for reasons of its own. */
const NPM_OPTIONS = ["arch", "color", "force", "help", "json", "key", "no-color", "runtime", "user", "yes"];

/**
 * `npm run down --stack lab` passes only `lab` to the command, and `npm run down --stack=lab` nothing at all: npm takes
 * options before `--` as its own and exports them as `npm_config_*`.
 */
function refuseOptionsKeptByNpm(definition: CommandDefinition, command: Command, env: NodeJS.ProcessEnv): void {
  const kept = keptByNpm(command, env);
  if (kept.length > 0) throw refusal(definition, `npm did not pass on ${kept.join(", ")}`, env);
}

function keptByNpm(command: Command, env: NodeJS.ProcessEnv): string[] {
  if (!isCalledByNpm()) return [];
  return command.options
    .map((option) => option.name())
    .filter((name) => !NPM_OPTIONS.includes(name) && env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined)
    .map((name) => `--${name}`);
}

function refusal(definition: CommandDefinition, cause: string, env: NodeJS.ProcessEnv): StepError {
  const { name } = definition;
  const kept = keptByNpm(commandOf(definition), env);
  const option = kept[0] ?? "--stack";
  const corrected = userCommand(name, option, option === "--stack" ? "NAME" : "");
  const hint = `write options after \`--\`: \`${corrected}\``;
  return new StepError({
    step: "reading the command line",
    cause,
    action: `${kept.length > 0 ? `${hint}; ` : ""}run \`${userCommand(name, "--help")}\` for the options`,
  });
}

/** Commander's message on one line. */
function causeOf(error: CommanderError, command: Command): string {
  if (error.code === "commander.excessArguments")
    return `unexpected argument ${command.args
      .slice(command.registeredArguments.length)
      .map((word) => `"${word}"`)
      .join(" ")}`;
  return error.message.replace(/^error: /, "").replace(/\n\((.*)\)$/, " ($1)");
}

/** The name of a stack becomes part of paths and of container names. */
function checkStack(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) return name;
  throw new StepError({
    step: "reading --stack",
    cause: `"${name}" is not a valid stack name`,
    action: "use up to 32 lower case letters, digits and hyphens",
  });
}

function addPair(text: string, pairs: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at > 0) return { ...pairs, [text.slice(0, at)]: text.slice(at + 1) };
  throw new StepError({ step: "reading --config", cause: `"${text}" has no "="`, action: "write --config key=value" });
}
