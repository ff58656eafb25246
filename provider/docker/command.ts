import type { Options } from "execa" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";

/** execa is an ES module and we are CommonJS: it is loaded on first use. */
const load = () => import("execa");

export interface CommandOptions {
  /** What is being done, in the user's words. */
  step: string;
  signal: AbortSignal;
  /** What the person does next when it fails. */
  action?: string;
  /** Seconds; default: no limit but the signal's. */
  timeout?: number;
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** For programs with children that would go on without them: all of them are interrupted, as by Ctrl-C, and may tidy up. */
  wholeGroup?: boolean;
  /** Called with each line of stderr (or of stdout) while the command runs. */
  onLine?: (line: string) => void;
  linesFrom?: "stdout" | "stderr";
  cwd?: string;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program of the controller. @throws StepError where it cannot be run or does not exit with 0. */
export async function run(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const outcome = await attempt(file, args, options);
  if (outcome.code === 0) return outcome.stdout;
  throw failure(file, outcome, options);
}

/** As `run`, for commands whose failing is an answer too. A program that is missing has code 127. */
export async function attempt(file: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const { execa } = await load();
  const child = execa(file, args, settings(options));
  if (options.onLine) void report(child, options.linesFrom ?? "stderr", options.onLine);
  const interrupt = () => interruptGroup(child.pid);
  if (options.wholeGroup) options.signal.addEventListener("abort", interrupt, { once: true });
  const result = await child;
  options.signal.removeEventListener("abort", interrupt);
  options.signal.throwIfAborted();
  const cause = result.timedOut ? `no answer within ${String(options.timeout)} s` : (result.shortMessage ?? "");
  const code = result.exitCode ?? (result.code === "ENOENT" ? 127 : 1);
  return { code, stdout: result.stdout, stderr: result.stderr === "" ? cause : result.stderr };
}

function interruptGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGINT");
  } catch {
    // It ended by itself meanwhile.
  }
}

function settings({ signal, timeout, input, env, wholeGroup, cwd }: CommandOptions) {
  return {
    reject: false,
    encoding: "utf8",
    ...(wholeGroup ? { detached: true } : { cancelSignal: signal, forceKillAfterDelay: 2_000 }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    env: { LC_ALL: "C.UTF-8", ...env },
  } as const satisfies Options;
}

/** The lines come from the same stream that the result is made of; its end is the command's. */
async function report(
  child: { iterable?: (options: { from: "stdout" | "stderr" }) => AsyncIterable<unknown> },
  from: "stdout" | "stderr",
  onLine: (line: string) => void,
): Promise<void> {
  try {
    for await (const line of child.iterable?.({ from }) ?? []) onLine(String(line));
  } catch {
    // The command's own outcome tells what went wrong.
  }
}

export function failure(file: string, outcome: Outcome, { step, action }: CommandOptions): StepError {
  const cause =
    outcome.code === 127 && outcome.stderr.includes("ENOENT")
      ? `there is no program ${file}`
      : lastWords(outcome.stderr || outcome.stdout);
  return new StepError({ step, cause: cause || `${file} exited with ${outcome.code}`, ...(action ? { action } : {}) });
}

/** The end of what a program said: its reason stands there. */
export function lastWords(output: string, lines = 3): string {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("See 'docker"))
    .slice(-lines)
    .join(" | ");
}
