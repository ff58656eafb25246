import type { Options, Result, ResultPromise } from "execa" with { "resolution-mode": "import" };

/** execa is an ES module and we are CommonJS: it is loaded on first use, here and nowhere else in scripts and tests. */
const load = () => import("execa");

export type Finished = Result<Options>;

/** Runs a program to its end; rejects when it fails. */
export async function run(file: string, args: readonly string[] = [], options: Options = {}): Promise<Finished> {
  const { execa } = await load();
  return await execa(file, args, options);
}

/** Runs a program and gives what it said on stdout. */
export async function output(file: string, args: readonly string[] = [], options: Options = {}): Promise<string> {
  const { stdout } = await run(file, args, options);
  return typeof stdout === "string" ? stdout : "";
}

/** Starts a program and gives its process while it runs: to read its lines, or to kill it. */
export async function start(
  file: string,
  args: readonly string[] = [],
  options: Options = {},
): Promise<{ child: ResultPromise }> {
  const { execa } = await load();
  return { child: execa(file, args, options) };
}
