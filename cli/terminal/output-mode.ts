import { messageOf, StepError } from "../../common/errors";

/** How the running command prints. */
interface OutputMode {
  detail: "quiet" | "normal" | "verbose";
  /** Whether stdout is one JSON document, also after an error. */
  json: boolean;
}

let mode: OutputMode = { detail: "normal", json: false };

/** Sets how the command prints, from its flags. */
export function setOutputMode(flags: ReadonlySet<string>): void {
  const json = flags.has("json");
  mode = { detail: flags.has("quiet") ? "quiet" : flags.has("verbose") ? "verbose" : "normal", json };
  if (flags.has("no-color")) process.env.NO_COLOR = "1";
}

export function isQuiet(): boolean {
  return mode.detail === "quiet";
}

export function isVerbose(): boolean {
  return mode.detail === "verbose";
}

/**
 * Prints the error that ends a command: on stderr, or as the JSON document of a command with `--json`.
 * @param describe returns the message of an error
 */
export function printError(error: unknown, describe: (error: unknown) => string = messageOf): void {
  const message = describe(error);
  if (mode.json) {
    process.stdout.write(`${JSON.stringify({ error: errorDocument(error, message) }, null, 2)}\n`);
    return;
  }
  const isTraced = isVerbose() || Boolean(process.env.KUBEWRIGHT_DEBUG);
  const stack = isTraced && error instanceof Error ? error.stack : undefined;
  process.stderr.write(`\n${stack ?? message}\n`);
}

/** Prints the report of a failed or interrupted run. It has several lines, some with the errors of machines. */
export function printReport(report: string): void {
  if (mode.json) process.stdout.write(`${JSON.stringify({ error: { message: report.trim() } }, null, 2)}\n`);
  else process.stderr.write(report);
}

function errorDocument(error: unknown, message: string): Record<string, unknown> {
  return error instanceof StepError ? { message, ...error.failure } : { message };
}
