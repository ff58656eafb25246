import type { Recipe } from "../../contracts/docker/image";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { projectRoot } from "../../common/project-root";

export const REPOSITORY = "kubewright/machine";

export function recipeFolder(): string {
  return join(projectRoot(), "templates", "machine");
}

/** Returns the reference of the recipe's image. Runs with the same files share one image. */
export function imageRef(recipe: Recipe): string {
  return `${REPOSITORY}:${recipeHash(recipe, readFiles(recipeFolder()))}`;
}

/** Returns 12 hex digits that change with the recipe, and with any file's path or content. */
export function recipeHash(recipe: Recipe, files: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  for (const path of [...files.keys()].sort()) hash.update(JSON.stringify([path, files.get(path)]));
  return hash.digest("hex").slice(0, 12);
}

/** Reads the list of packages in the machine image. */
export function readPackages(): string[] {
  return readFileSync(join(recipeFolder(), "packages"), "utf8").split("\n").filter(Boolean);
}

function readFiles(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]));
}
