import type { Options, Result, ResultPromise } from "execa" with { "resolution-mode": "import" };
import type { Duplex, Readable } from "node:stream";
import { StepError } from "./errors";

/** execa is an ES module and this code is CommonJS: execa is imported on first use, and only here. */
const load = () => import("execa");

export type Finished = Result<Options>;

export interface CommandOptions {
  /** What the command does, in the user's terms: `build kubelet`. */
  step: string;
  signal: AbortSignal;
  /** The user's next action when the command fails. */
  action?: string | undefined;
  /** Seconds. @default no limit */
  timeout?: number | undefined;
  input?: string | Uint8Array | undefined;
  env?: Record<string, string> | undefined;
  cwd?: string | undefined;
  /**
   * Runs the command in a process group of its own, and sends this signal to the whole group on abort and when this
   * process exits. For commands whose children would outlive them: SIGINT where the command cleans up on Ctrl-C, else
   * SIGTERM.
   */
  stopGroupWith?: "SIGINT" | "SIGTERM" | undefined;
  /** Receives each line of `linesFrom` while the command runs. */
  onLine?: ((line: string) => void) | undefined;
  /** @default stderr */
  linesFrom?: "stdout" | "stderr" | undefined;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command and returns its stdout. @throws StepError when the command cannot start or does not exit with 0 */
export async function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const outcome = await tryCommand(file, args, options);
  if (outcome.code === 0) return outcome.stdout;
  throw commandError(file, outcome, options);
}

/** Runs a command whose failure is a valid answer. The exit code of a program that does not exist is 127. */
export async function tryCommand(file: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  options.signal.throwIfAborted();
  const { execa } = await load();
  const child = execa(file, args, execaOptions(options));
  if (options.onLine) void reportLines(child, options.linesFrom ?? "stderr", options.onLine);
  const release = options.stopGroupWith ? stopOnAbort(child, options.stopGroupWith, options.signal) : undefined;
  const result = await child.finally(release);
  options.signal.throwIfAborted();
  const cause = result.timedOut ? `${file} did not finish within ${options.timeout} s` : (result.shortMessage ?? "");
  const code = result.exitCode ?? (result.code === "ENOENT" ? 127 : 1);
  return { code, stdout: result.stdout, stderr: result.stderr === "" ? cause : result.stderr };
}

function execaOptions({ signal, timeout, input, env, stopGroupWith, cwd }: CommandOptions) {
  return {
    reject: false,
    encoding: "utf8",
    timeout: (timeout ?? 0) * 1000,
    cwd,
    env: { LC_ALL: "C.UTF-8", ...env },
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    ...(stopGroupWith ? { detached: true, cleanup: false } : { cancelSignal: signal, forceKillAfterDelay: 2_000 }),
  } as const satisfies Options;
}

/** Signals the child's process group on abort and on this process' exit. Returns a function that stops listening. */
export function stopOnAbort({ pid }: { pid?: number }, name: NodeJS.Signals, signal: AbortSignal): () => void {
  const stop = () => signalGroup(pid, name);
  signal.addEventListener("abort", stop, { once: true });
  process.once("exit", stop);
  return () => {
    signal.removeEventListener("abort", stop);
    process.removeListener("exit", stop);
  };
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // The group has already ended.
  }
}

/** Reads the lines from the same stream that the result is collected from. */
async function reportLines(
  child: { iterable?: (options: { from: "stdout" | "stderr" }) => AsyncIterable<unknown> },
  from: "stdout" | "stderr",
  onLine: (line: string) => void,
): Promise<void> {
  try {
    for await (const line of child.iterable?.({ from }) ?? []) onLine(String(line));
  } catch {
    // The command's outcome carries the error.
  }
}

/** The error of a command that did not exit with 0: its cause is the end of the command's output. */
export function commandError(file: string, outcome: Outcome, { step, action }: CommandOptions): StepError {
  const missing = outcome.code === 127 && outcome.stderr.includes("ENOENT");
  const cause = missing ? `${file} is not installed, or not on PATH` : lastLines(outcome.stderr || outcome.stdout);
  return new StepError({ step, cause: cause || `${file} exited with code ${outcome.code}`, action });
}

/** The last lines of a command's output, where programs print the reason of a failure. */
export function lastLines(text: string, lines = 3): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("See 'docker"))
    .slice(-lines)
    .join(" | ");
}

/** Returns the trimmed stdout of a quick command, or undefined when it fails or does not exist. */
export async function readOutput(
  file: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<string | undefined> {
  const { execa } = await load();
  const result = await execa(file, args, { reject: false, env, stdin: "ignore" });
  return result.failed ? undefined : result.stdout.trim();
}

/** Runs a program as a stream from its stdin to its stdout. The stream fails with the program's error. */
export async function pipeThrough(file: string, args: readonly string[]): Promise<Duplex> {
  const { execa } = await load();
  return execa(file, args, { buffer: { stdout: false }, encoding: "buffer" }).duplex();
}

/** Streams a program's stdout. The stream fails with the program's error. */
export async function streamOutput(file: string, args: readonly string[]): Promise<Readable> {
  const { execa } = await load();
  return execa(file, args, { buffer: { stdout: false }, encoding: "buffer", stdin: "ignore" }).readable();
}

/** Runs a program with execa's own options. @throws ExecaError when it fails */
export async function run(file: string, args: readonly string[] = [], options: Options = {}): Promise<Finished> {
  const { execa } = await load();
  return await execa(file, args, options);
}

/** Runs a program with execa's own options and returns its stdout. */
export async function output(file: string, args: readonly string[] = [], options: Options = {}): Promise<string> {
  const { stdout } = await run(file, args, options);
  return typeof stdout === "string" ? stdout : "";
}

/** Starts a program and returns its running process. Wrapped in an object because the process is itself a promise. */
export async function start(
  file: string,
  args: readonly string[] = [],
  options: Options = {},
): Promise<{ child: ResultPromise }> {
  const { execa } = await load();
  return { child: execa(file, args, options) };
}
