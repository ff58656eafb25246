import type { ExecaError } from "execa" with { "resolution-mode": "import" };
import type { Duplex, Readable } from "node:stream";
import { StepError } from "../common/errors";

/** execa is an ES module and we are CommonJS: it is loaded on first use, here and nowhere else in artifacts. */
const load = () => import("execa");

export interface Command {
  program: string;
  words: readonly string[];
  /** In the user's words: `build kubelet`. */
  step: string;
  /** What the person does when it fails. */
  action?: string;
  signal: AbortSignal;
  cwd?: string;
  env?: Record<string, string | undefined>;
}

/** How many of the last lines of a failed command are shown. */
const LAST_LINES = 6;

/**
 * Runs a program in a process group of its own, so that an abort ends its children too: `go build` has many.
 * Returns what it wrote to standard output. Throws a StepError with the last lines of what it said.
 */
export async function runGroup(command: Command): Promise<string> {
  command.signal.throwIfAborted();
  const { execa } = await load();
  const child = execa(command.program, command.words, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    cleanup: false,
    stdin: "ignore",
  });
  const end = (): void => killGroup(child.pid);
  command.signal.addEventListener("abort", end, { once: true });
  // A run that ends without an abort must not leave a compiler behind either.
  process.once("exit", end);
  try {
    return (await child).stdout;
  } catch (error) {
    command.signal.throwIfAborted();
    throw new StepError({ step: command.step, cause: lastWords(error as ExecaError), action: command.action });
  } finally {
    command.signal.removeEventListener("abort", end);
    process.removeListener("exit", end);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It ended by itself meanwhile.
  }
}

function lastWords(error: ExecaError): string {
  const said = `${String(error.stdout ?? "")}\n${String(error.stderr ?? "")}`.trim();
  if (said === "") return error.shortMessage;
  return said.split("\n").slice(-LAST_LINES).join("\n");
}

/** What a quick program wrote to standard output, or undefined when it failed or is not there. */
export async function ask(
  program: string,
  words: readonly string[],
  env?: Record<string, string>,
): Promise<string | undefined> {
  const { execa } = await load();
  const result = await execa(program, words, { reject: false, env, stdin: "ignore" });
  return result.failed ? undefined : result.stdout.trim();
}

/** A program as a stream that what is piped in goes through; fails with what the program said. */
export async function filter(program: string, words: readonly string[]): Promise<Duplex> {
  const { execa } = await load();
  return execa(program, words, { buffer: { stdout: false }, encoding: "buffer" }).duplex();
}

/** What a program writes, as a stream; fails with what the program said. */
export async function reading(program: string, words: readonly string[]): Promise<Readable> {
  const { execa } = await load();
  return execa(program, words, { buffer: { stdout: false }, encoding: "buffer", stdin: "ignore" }).readable();
}
