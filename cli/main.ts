import { COMMANDS } from "./commands/table";
import { parseCommandLine } from "./terminal/command-line";
import { printError, setOutputMode } from "./terminal/output-mode";
import type { Options } from "./terminal/options";

/** A module of cli/commands. */
export interface CommandModule {
  /** Runs the command and returns its exit code. */
  run: (options: Options) => Promise<number>;
}

/** Loads a module of cli/commands. */
export type LoadCommand = (name: string) => CommandModule | Promise<CommandModule>;

/**
 * Runs one command of the table, or prints its help. Returns the exit code.
 * @param load loads a module of cli/commands; called only for the command that runs, because some take a second to load
 */
export async function main(name: string, args: readonly string[], load: LoadCommand): Promise<number> {
  const definition = COMMANDS[name];
  if (!definition) throw new Error(`there is no command named ${name}`);
  setOutputMode(new Set(args.includes("--json") ? ["json"] : [])); // for errors of the command line itself
  try {
    const parsed = parseCommandLine(definition, args);
    if ("help" in parsed) {
      process.stdout.write(parsed.help);
      return 0;
    }
    setOutputMode(parsed.options.flags);
    return await (await load(name)).run(parsed.options);
  } catch (error) {
    printError(error);
    return definition.failureCode ?? 1;
  }
}
