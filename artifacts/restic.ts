import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { coerce, gte, valid } from "semver";
import { StepError, messageOf } from "../common/errors";
import { readOutput } from "../common/process";
import type { LocalFile } from "../common/artifact-set";
import type { Progress } from "../common/progress";
import { Cache, fileOf } from "./cache";
import { buildModule, controllerPlatform, findFolder, searchPath, type Platform } from "./controller-tools";
import { recipeHash, sha256Of } from "./hash";
import { chooseSource } from "./source";
import { loadVersions, type Arch, type Versions } from "./versions";

type Restic = Versions["restic"];

/**
 * Returns the path of restic on the controller: from PATH if it is recent enough, else from the cache. Otherwise builds
 * it from Go modules, which takes a minute the first time.
 * @throws StepError with the next action when it can neither be found nor built
 */
export async function obtainRestic(progress: Progress, signal: AbortSignal): Promise<string> {
  const { restic } = loadVersions();
  const existing = await findOnPath(restic);
  if (existing !== undefined) return existing;
  return (await obtainBuilt(controllerPlatform(), progress, signal)).path;
}

/**
 * Returns restic for machines, of the version in versions.yaml: from the cache, or built from Go modules. Where it
 * cannot be built, that of PATH is returned, if machines can run it.
 * @throws StepError with the next action when there is none
 */
export async function obtainMachineRestic(arch: Arch, progress: Progress, signal: AbortSignal): Promise<LocalFile> {
  const platform: Platform = { os: "linux", arch };
  try {
    return await obtainBuilt(platform, progress, signal);
  } catch (error) {
    signal.throwIfAborted();
    const existing = isDeepStrictEqual(platform, controllerPlatform()) && (await findOnPath(loadVersions().restic));
    if (existing === false || existing === undefined) throw error;
    const [hash, { size }] = await Promise.all([sha256Of(existing), stat(existing)]);
    return { path: existing, sha256: hash, size };
  }
}

async function obtainBuilt(platform: Platform, progress: Progress, signal: AbortSignal): Promise<LocalFile> {
  const { restic } = loadVersions();
  const entry = (await new Cache().find(keyOf(restic, platform))) ?? (await build(restic, platform, progress, signal));
  return fileOf(entry, "restic");
}

async function findOnPath({ atLeast }: Restic): Promise<string | undefined> {
  const folder = await findFolder(searchPath(process.env.PATH ?? ""), "restic");
  if (folder === undefined) return undefined;
  const path = join(folder, "restic");
  const version = valid(coerce(await readOutput(path, ["version"])));
  return version !== null && gte(version, atLeast) ? path : undefined;
}

function keyOf({ module }: Restic, { os, arch }: Platform): string {
  return ["restic", module.version, os, arch, "modules", recipeHash([module])].join("-");
}

async function build({ atLeast, module }: Restic, platform: Platform, progress: Progress, signal: AbortSignal) {
  const label = `restic ${module.version}`;
  await chooseSource("modules", signal).catch((error: unknown) => {
    throw new StepError({
      step: `find ${label}`,
      cause: `it is not on PATH in version ${atLeast} or later, and cannot be built: ${messageOf(error)}`,
      action: "install the package restic, or Go",
    });
  });
  progress(`building ${label} from Go modules, once`);
  return await new Cache().obtain({
    key: keyOf({ atLeast, module }, platform),
    label,
    progress,
    signal,
    fill: (folder) => buildModule(module, folder, () => undefined, signal, platform),
  });
}
