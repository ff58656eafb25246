import { main as runCommand, type CommandModule } from "./main";
import { runProgram as runLine } from "./program";

/** Runs the command of an npm script, and returns its exit code. */
export async function runScript(command: string, args: readonly string[]): Promise<number> {
  return await runCommand(command, args, loadCommand);
}

/** Runs the program `kubewright`, and returns its exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  return await runLine(argv, loadCommand);
}

/** A template, so that the bundle contains every command, and evaluates the one that runs. */
async function loadCommand(name: string): Promise<CommandModule> {
  return (await import(`./commands/${name}.ts`)) as CommandModule;
}
