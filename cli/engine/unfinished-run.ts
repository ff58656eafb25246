import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFolder } from "./paths";

const markOf = (stack: string) => join(stackFolder(stack), "unfinished");

/** Whether the last run failed or was interrupted, so that the state may not match the machines. */
export function isRunUnfinished(stack: string): boolean {
  return existsSync(markOf(stack));
}

/** Marks the stack during a run, and removes the mark when the run succeeds. */
export async function withUnfinishedMark<T>(stack: string, run: () => Promise<T>): Promise<T> {
  mkdirSync(stackFolder(stack), { recursive: true, mode: 0o700 });
  writeFileSync(markOf(stack), "");
  const result = await run();
  rmSync(markOf(stack), { force: true });
  return result;
}
