import { Command, CommanderError } from "commander";
import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import { COMMON_OPTIONS, type CommandDefinition } from "./command-line";

/** What the arguments of the program `kubewright` ask for. */
export type ProgramLine = { text: string } | { command: string; args: readonly string[] };

/** Words that begin several commands. */
const GROUPS: Readonly<Record<string, string>> = {
  node: "Operates on a single node.",
  "host-key": "Manages the SSH host keys of machines.",
};

const HELP_END = `
Exit codes: 0 success, 1 failure, 130 interrupted. Some commands have others: see their help.
Programs: with --json, stdout is one JSON document, which is {"error": ...} after a failure.`;

/**
 * Finds the command among the arguments of the program.
 * @param commands the commands by the names of their modules
 * @returns the help or the version as text, or the module's name with the arguments of the command
 * @throws StepError for unknown commands and options
 */
export function parseProgramLine(
  commands: Readonly<Record<string, CommandDefinition>>,
  argv: readonly string[],
  version: string,
): ProgramLine {
  let text = "";
  let chosen: ProgramLine | undefined;
  const program = new Command("kubewright")
    .description("Turns machines into Kubernetes nodes, and keeps the cluster as configured.")
    .version(version, "-V, --version", "print the version")
    .configureOutput({ writeOut: (part) => (text += part), writeErr: () => undefined, getOutHelpWidth: () => 100 })
    .exitOverride()
    .helpCommand(false)
    .helpOption("-h, --help", "show this help")
    .configureHelp({ subcommandTerm: (command) => command.name(), subcommandDescription })
    .enablePositionalOptions()
    .addHelpText("after", HELP_END);
  for (const [flags, description] of COMMON_OPTIONS) program.option(flags, description);
  for (const [module, definition] of Object.entries(commands))
    addCommand(program, definition, (args) => (chosen = { command: module, args: [...commonFlags(program), ...args] }));
  try {
    program.parse(argv.length === 0 ? ["--help"] : [...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw refusal(error, program.args[0]);
  }
  return chosen ?? { text };
}

/** The command's own parser reads the arguments, and prints the help: see `parseCommandLine`. */
function addCommand(program: Command, definition: CommandDefinition, choose: (args: string[]) => void): void {
  const words = definition.name.split(" ");
  const last = words.pop() ?? "";
  groupOf(program, words)
    .command(last)
    .summary(definition.summary)
    .helpOption(false)
    .passThroughOptions()
    .allowUnknownOption()
    .argument("[args...]")
    .action((args: string[]) => choose(args));
}

/** A group is described together with its commands. */
function subcommandDescription(command: Command): string {
  const names = command.commands.map((one) => one.name());
  return names.length === 0 ? command.summary() : `${command.summary()} Commands: ${names.join(", ")}.`;
}

function groupOf(program: Command, words: readonly string[]): Command {
  const [word, ...rest] = words;
  if (word === undefined) return program;
  const existing = program.commands.find((command) => command.name() === word);
  const summary = GROUPS[word] ?? "";
  const group = existing ?? program.command(word).summary(summary).description(summary).helpCommand(false);
  return groupOf(group, rest);
}

/** Common options may also precede the command. */
function commonFlags(program: Command): string[] {
  const { quiet, verbose, color } = program.opts<{ quiet?: true; verbose?: true; color: boolean }>();
  return [...(quiet ? ["--quiet"] : []), ...(verbose ? ["--verbose"] : []), ...(color ? [] : ["--no-color"])];
}

function refusal(error: CommanderError, group = ""): StepError {
  const cause = error.code === "commander.help" ? "the command is incomplete" : error.message.replace(/^error: /, "");
  return new StepError({
    step: "reading the command line",
    cause: cause.replace(/\n\((.*)\)$/, " ($1)"),
    action: `run \`${userCommand(group in GROUPS ? `${group} --help` : "--help")}\` for the commands`,
  });
}
