import { constants } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { goBuild, prepareScratch, type Output, type Recipe } from "./go";
import type { Arch, PinnedModule } from "./versions";

/** Programs that run on the controller: found on PATH, or built from Go modules. */

/** Splits PATH, without the folders in which npm puts launchers, which would download their programs when called. */
export function searchPath(path: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== "" && !/node_modules[/\\]\.bin[/\\]?$/.test(folder));
}

/** Returns the first folder that has the program. */
export async function findFolder(folders: readonly string[], program: string): Promise<string | undefined> {
  for (const folder of folders) if (await isExecutable(join(folder, program))) return folder;
  return undefined;
}

export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Operating system and architecture for which a program is built. */
export type Platform = Omit<Output, "path">;

export function controllerPlatform(): Platform {
  const arch: Arch = process.arch === "arm64" ? "arm64" : "amd64";
  return { os: process.platform === "darwin" ? "darwin" : "linux", arch };
}

/** Builds the programs of a module into a folder. */
export async function buildModule(
  module: PinnedModule,
  folder: string,
  onBuild: (name: string) => void,
  signal: AbortSignal,
  platform = controllerPlatform(),
): Promise<void> {
  const recipe: Recipe = { ...module, staging: false };
  const scratch = await mkdtemp(join(tmpdir(), "kubewright-go-"));
  try {
    for (const name of Object.keys(recipe.packages)) onBuild(name);
    await prepareScratch(recipe, scratch, signal);
    for (const name of Object.keys(recipe.packages))
      await goBuild(recipe, name, scratch, { ...platform, path: join(folder, name) }, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
