import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { projectRoot } from "../../common/project-root";

export const REPOSITORY = "kubewright/machine";

/** How the machine image comes about: `dockerfile` from a base image, `mmdebstrap` from the host's package sources. */
export const RECIPES = ["auto", "dockerfile", "mmdebstrap"] as const;
export type Recipe = (typeof RECIPES)[number];

export function recipeFolder(): string {
  return join(projectRoot(), "templates", "machine");
}

/** The tag of the image that this recipe makes: two runs with the same files share one image. */
export function imageRef(recipe: Recipe): string {
  return `${REPOSITORY}:${recipeHash(recipe, filesIn(recipeFolder()))}`;
}

/** Pure: 12 hex digits that change with any file's path or content. `auto` counts as a recipe of its own. */
export function recipeHash(recipe: Recipe, files: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  for (const path of [...files.keys()].sort()) hash.update(JSON.stringify([path, files.get(path)]));
  return hash.digest("hex").slice(0, 12);
}

/** The packages that every machine has. */
export function packages(): string[] {
  return readFileSync(join(recipeFolder(), "packages"), "utf8").split("\n").filter(Boolean);
}

function filesIn(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]));
}
