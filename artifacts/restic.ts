import { join } from "node:path";
import { coerce, gte, valid } from "semver";
import { StepError, messageOf } from "../common/errors";
import { readOutput } from "../common/process";
import type { Progress } from "../common/progress";
import { Cache, fileOf } from "./cache";
import { buildModule, controllerPlatform, findFolder, searchPath } from "./controller-tools";
import { recipeHash } from "./hash";
import { chooseSource } from "./source";
import { loadVersions, type Versions } from "./versions";

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
  const entry = (await new Cache().find(keyOf(restic))) ?? (await build(restic, progress, signal));
  return fileOf(entry, "restic").path;
}

async function findOnPath({ atLeast }: Restic): Promise<string | undefined> {
  const folder = await findFolder(searchPath(process.env.PATH ?? ""), "restic");
  if (folder === undefined) return undefined;
  const path = join(folder, "restic");
  const version = valid(coerce(await readOutput(path, ["version"])));
  return version !== null && gte(version, atLeast) ? path : undefined;
}

function keyOf({ module }: Restic): string {
  const { os, arch } = controllerPlatform();
  return ["restic", module.version, os, arch, "modules", recipeHash([module])].join("-");
}

async function build({ atLeast, module }: Restic, progress: Progress, signal: AbortSignal) {
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
    key: keyOf({ atLeast, module }),
    label,
    progress,
    signal,
    fill: (folder) => buildModule(module, folder, () => undefined, signal),
  });
}
