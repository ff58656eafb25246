import { messageOf } from "../common/errors";
import { COMMANDS } from "./commands/table";
import { parseCommandLine } from "./terminal/command-line";
import type { Options } from "./terminal/options";

/** A module of cli/commands. */
export interface CommandModule {
  /** Runs the command and returns its exit code. */
  run: (options: Options) => Promise<number>;
}

/**
 * Runs one command of the table, or prints its help. Returns the exit code.
 * @param load loads a module of cli/commands; called only for the command that runs, because some take a second to load
 */
export async function main(
  name: string,
  args: readonly string[],
  load: (name: string) => CommandModule,
): Promise<number> {
  const definition = COMMANDS[name];
  if (!definition) throw new Error(`there is no command named ${name}`);
  try {
    const parsed = parseCommandLine(definition, args);
    if ("options" in parsed) return await load(name).run(parsed.options);
    process.stdout.write(parsed.help);
    return 0;
  } catch (error) {
    const stack = process.env.KUBEWRIGHT_DEBUG && error instanceof Error ? error.stack : undefined;
    process.stderr.write(`\n${stack ?? messageOf(error)}\n`);
    return definition.failureCode ?? 1;
  }
}
