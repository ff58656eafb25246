import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./project-root";

/** The way the user calls Kubewright: `npm`, or the program, such as `kubewright` or `npx kubewright`. */
const VARIABLE = "KUBEWRIGHT_CALLED_AS";

/** npm scripts whose names are not those of the commands. */
const SCRIPTS: Readonly<Record<string, string>> = { up: "start", kubeconfig: "run -s kubeconfig" };

/** Records how the user called Kubewright. The engine and the provider inherit it. */
export function recordCaller(caller: string): void {
  process.env[VARIABLE] = caller;
}

/** Whether commands are npm scripts: in a clone, unless the user called the program. */
export function isCalledByNpm(): boolean {
  return caller() === "npm";
}

/**
 * Returns a command line as the user types it: `npm run node:drain -- worker-2` in a clone, and
 * `kubewright node drain worker-2` elsewhere.
 * @param command the command, such as `node drain`
 * @param args options and arguments
 */
export function userCommand(command: string, ...args: readonly string[]): string {
  const given = args.filter((arg) => arg !== "");
  if (!isCalledByNpm()) return [caller(), command, ...given].join(" ");
  const script = SCRIPTS[command] ?? `run ${command.replaceAll(" ", ":")}`;
  return [`npm ${script}`, ...(given.length > 0 ? ["--", ...given] : [])].join(" ");
}

/** Without a record, plain Pulumi runs the provider: in a clone, or with the package as a library. */
function caller(): string {
  return process.env[VARIABLE] ?? (existsSync(join(projectRoot(), "cli", "bootstrap.cjs")) ? "npm" : "kubewright");
}
