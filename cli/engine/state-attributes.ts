import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { backendFolder } from "./paths";

/**
 * Removes empty attribute files (`dev.json.attrs`) from a file backend. The engine creates the file before it writes
 * the attributes, so that a kill in between leaves it empty, and every further command fails with `EOF`. The engine
 * does without the file: the state itself is replaced atomically.
 */
export function removeEmptyAttributes(): void {
  const root = backendFolder();
  if (root === undefined || !existsSync(root)) return;
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".attrs"));
  for (const path of names.map((name) => join(root, name))) {
    if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path, { force: true });
  }
}
