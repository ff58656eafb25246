import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFolder } from "./paths";

const markOf = (stack: string) => join(stackFolder(stack), "unfinished");

/** Did the last run fail, or was it cut off? What befell the machines meanwhile is not in the state then. */
export function wasCutOff(stack: string): boolean {
  return existsSync(markOf(stack));
}

/** The mark is there from the beginning of a run to its good end; it goes with the stack. */
export async function marked<T>(stack: string, run: () => Promise<T>): Promise<T> {
  mkdirSync(stackFolder(stack), { recursive: true, mode: 0o700 });
  writeFileSync(markOf(stack), "");
  const done = await run();
  rmSync(markOf(stack), { force: true });
  return done;
}
