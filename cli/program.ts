import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";
import { recordCaller } from "../common/user-command";
import { COMMANDS } from "./commands/table";
import { main, type LoadCommand } from "./main";
import { printError } from "./terminal/output-mode";
import { parseProgramLine } from "./terminal/program-line";
import { selectProject } from "./engine/project-folder";

/**
 * Runs the program `kubewright`, and returns its exit code.
 * @param load loads a module of cli/commands
 */
export async function runProgram(argv: readonly string[], load: LoadCommand): Promise<number> {
  recordCaller(process.env.npm_command === "exec" ? "npx kubewright" : "kubewright");
  try {
    const line = parseProgramLine(COMMANDS, argv, packageVersion());
    if ("command" in line) return await main(line.command, line.args, loadInProject(load));
    process.stdout.write(line.text);
    return 0;
  } catch (error) {
    printError(error);
    return 1;
  }
}

/** Commands that work on a stack need a project. Their help does not. */
function loadInProject(load: LoadCommand): LoadCommand {
  return (name) => {
    const { hasStack = true, hasProject = hasStack } = COMMANDS[name] ?? {};
    if (hasProject) selectProject();
    return load(name);
  };
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}
