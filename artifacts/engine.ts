import { chmod, copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { coerce, gte, valid } from "semver";
import { timeoutSignal } from "../common/timer";
import { StepError, messageOf } from "../common/errors";
import type { Progress } from "../common/progress";
import { projectRoot } from "../common/project-root";
import { Cache } from "./cache";
import { buildModule, controllerPlatform, findFolder, isExecutable, searchPath } from "./controller-tools";
import { downloadModule } from "./go";
import { recipeHash } from "./hash";
import { readOutput, runCommand } from "../common/process";
import { chooseSource, realProbes } from "./source";
import { loadVersions, type Versions } from "./versions";

/** The Pulumi engine on the controller. */
export interface Engine {
  /** Folder of `pulumi` and its Node.js language host. Must come first on PATH. */
  binDir: string;
  /** `3.255.0` */
  version: string;
  origin: "path" | "official" | "modules";
  /** Environment variables, other than PATH, for programs that run the engine. */
  environment: Record<string, string>;
}

const LANGUAGE_HOST = "pulumi-language-nodejs";
/** Keeps `pulumi` from checking for newer versions at each start. */
const ENVIRONMENT = { PULUMI_SKIP_UPDATE_CHECK: "true" };

/**
 * Finds Pulumi on PATH (if recent enough), in the folder of npm's `pulumi` package, or in the cache. Otherwise
 * downloads it with npm's `pulumi` package or, where downloads fail, builds it from Go modules, which takes minutes the
 * first time.
 * @throws StepError with the next action when none of these works
 */
export async function obtainEngine(progress: Progress, signal: AbortSignal): Promise<Engine> {
  const versions = loadVersions();
  const existing = (await findOnPath(versions)) ?? (await findDownloaded(versions)) ?? (await findBuilt(versions));
  if (existing) return existing;
  const failure =
    (await realProbes.probeUrl(versions.pulumi.probe, limitProbe(signal))) ??
    (await downloadEngine(versions, progress, signal));
  signal.throwIfAborted();
  if (failure === undefined) return engineAt(officialFolder(versions), versions.pulumi.version, "official");
  return buildEngine(versions, failure, progress, signal);
}

function limitProbe(signal: AbortSignal): AbortSignal {
  return timeoutSignal(3000, signal);
}

function engineAt(binDir: string, version: string, origin: Engine["origin"]): Engine {
  return { binDir, version, origin, environment: { ...ENVIRONMENT } };
}

async function findOnPath(versions: Versions): Promise<Engine | undefined> {
  const folders = searchPath(process.env.PATH ?? "");
  const binDir = await findFolder(folders, "pulumi");
  if (!binDir || !(await findFolder([binDir, ...folders], LANGUAGE_HOST))) return undefined;
  const version = valid(coerce(await readOutput(join(binDir, "pulumi"), ["version"], ENVIRONMENT)));
  return version && gte(version, versions.pulumi.atLeast) ? engineAt(binDir, version, "path") : undefined;
}

/** The folder in which npm's `pulumi` package and Pulumi's Automation API install a version (pulumi/lib/cache.js). */
function officialRoot(versions: Versions): string {
  return join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "versions", versions.pulumi.version);
}

function officialFolder(versions: Versions): string {
  return join(officialRoot(versions), "bin");
}

async function findDownloaded(versions: Versions): Promise<Engine | undefined> {
  const folder = officialFolder(versions);
  const complete = (await isExecutable(join(folder, "pulumi"))) && (await isExecutable(join(folder, LANGUAGE_HOST)));
  return complete ? engineAt(folder, versions.pulumi.version, "official") : undefined;
}

/** Downloads Pulumi with npm's package. Returns the reason if that fails. */
async function downloadEngine(
  versions: Versions,
  progress: Progress,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { version } = versions.pulumi;
  progress(`downloading Pulumi ${version}`);
  try {
    const launcher = createRequire(join(projectRoot(), "package.json")).resolve("pulumi/run.js");
    await runCommand(process.execPath, [launcher, "version"], {
      step: `download Pulumi ${version}`,
      signal,
      env: { ...ENVIRONMENT, PULUMI_VERSION: version },
      stopGroupWith: "SIGTERM",
    });
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
  return (await findDownloaded(versions)) ? undefined : `${officialFolder(versions)} is incomplete`;
}

function engineKey(versions: Versions): string {
  const { version, modules, dynamicProvider } = versions.pulumi;
  const { os, arch } = controllerPlatform();
  return ["pulumi", version, os, arch, "modules", recipeHash([modules, dynamicProvider])].join("-");
}

async function findBuilt(versions: Versions): Promise<Engine | undefined> {
  const entry = await new Cache().find(engineKey(versions));
  return entry && engineAt(entry.dir, versions.pulumi.version, "modules");
}

async function buildEngine(
  versions: Versions,
  downloadFailure: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<Engine> {
  const { version, modules, dynamicProvider } = versions.pulumi;
  await chooseSource("modules", signal).catch((error: unknown) => {
    throw unavailableError(version, downloadFailure, error);
  });
  progress(`Pulumi cannot be downloaded (${downloadFailure}): building it from Go modules`);
  const fill = async (folder: string): Promise<void> => {
    for (const [index, module] of modules.entries())
      await buildModule(
        module,
        folder,
        (name) => progress(`building (${index + 1}/${modules.length}) ${name}`),
        signal,
      );
    const source = await downloadModule(dynamicProvider.path, dynamicProvider.version, dynamicProvider.sum, signal);
    await copyLauncher(join(source.Dir, dynamicProvider.file), folder);
  };
  const entry = await new Cache().obtain({
    key: engineKey(versions),
    label: `Pulumi ${version}`,
    progress,
    signal,
    fill,
  });
  return engineAt(entry.dir, version, "modules");
}

function unavailableError(version: string, downloadFailure: string, buildError: unknown): StepError {
  const reasons = `cannot be downloaded (${downloadFailure}) and cannot be built (${messageOf(buildError)})`;
  return new StepError({
    step: `find Pulumi ${version}`,
    cause: `it is not on PATH, ${reasons}`,
    action: "install Pulumi and put it on PATH, or install Go",
  });
}

async function copyLauncher(source: string, folder: string): Promise<void> {
  const copy = join(folder, "pulumi-resource-pulumi-nodejs");
  await copyFile(source, copy);
  await chmod(copy, 0o755);
}
