import { constants } from "node:fs";
import { access, chmod, copyFile, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { coerce, gte, valid } from "semver";
import { StepError, messageOf } from "../common/errors";
import type { Progress } from "../common/progress";
import { projectRoot } from "../common/project-root";
import { Cache } from "./cache";
import { downloadModule, goBuild, prepareScratch, type Output, type Recipe } from "./go";
import { recipeHash } from "./hash";
import { ask, runGroup } from "./process";
import { chooseSource, realProbes } from "./source";
import { loadVersions, type Arch, type PinnedModule, type Versions } from "./versions";

/** Pulumi's engine on this machine. */
export interface Engine {
  /** Holds `pulumi` and its language host; to be first on PATH. */
  binDir: string;
  /** 3.255.0 */
  version: string;
  origin: "path" | "official" | "modules";
  /** What programs that use it want in their environment, PATH aside. */
  environment: Record<string, string>;
}

const LANGUAGE_HOST = "pulumi-language-nodejs";
/** No question to a server about newer versions at each start. */
const ENVIRONMENT = { PULUMI_SKIP_UPDATE_CHECK: "true" };

/**
 * Pulumi, from the first place that has it: PATH (when new enough), npm's `pulumi` package's folder, our cache;
 * else it is downloaded by npm's `pulumi` package, or built from Go modules where that is refused (minutes, once).
 * Throws a StepError that says what to do when there is no way.
 */
export async function obtainEngine(progress: Progress, signal: AbortSignal): Promise<Engine> {
  const versions = loadVersions();
  const present = (await onPath(versions)) ?? (await downloadedBefore(versions)) ?? (await builtBefore(versions));
  if (present) return present;
  const refusal =
    (await realProbes.reach(versions.pulumi.probe, probeLimit(signal))) ?? (await download(versions, progress, signal));
  signal.throwIfAborted();
  if (refusal === undefined) return engineAt(officialFolder(versions), versions.pulumi.version, "official");
  return build(versions, refusal, progress, signal);
}

function probeLimit(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(3000)]);
}

function engineAt(binDir: string, version: string, origin: Engine["origin"]): Engine {
  return { binDir, version, origin, environment: { ...ENVIRONMENT } };
}

/** npm puts its own launcher on PATH, which would download: that is another of our ways, with its own time. */
export function searchPath(path: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== "" && !/node_modules[/\\]\.bin[/\\]?$/.test(folder));
}

async function onPath(versions: Versions): Promise<Engine | undefined> {
  const folders = searchPath(process.env.PATH ?? "");
  const binDir = await firstWith(folders, "pulumi");
  if (!binDir || !(await firstWith([binDir, ...folders], LANGUAGE_HOST))) return undefined;
  const said = await ask(join(binDir, "pulumi"), ["version"], ENVIRONMENT);
  const version = valid(coerce(said));
  return version && gte(version, versions.pulumi.atLeast) ? engineAt(binDir, version, "path") : undefined;
}

async function firstWith(folders: readonly string[], program: string): Promise<string | undefined> {
  for (const folder of folders) if (await isProgram(join(folder, program))) return folder;
  return undefined;
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Where npm's `pulumi` package and Pulumi's Automation API both keep a version (pulumi/lib/cache.js). */
function officialRoot(versions: Versions): string {
  return join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "versions", versions.pulumi.version);
}

function officialFolder(versions: Versions): string {
  return join(officialRoot(versions), "bin");
}

async function downloadedBefore(versions: Versions): Promise<Engine | undefined> {
  const folder = officialFolder(versions);
  const complete = (await isProgram(join(folder, "pulumi"))) && (await isProgram(join(folder, LANGUAGE_HOST)));
  return complete ? engineAt(folder, versions.pulumi.version, "official") : undefined;
}

/** Lets npm's package download. Returns why it could not. */
async function download(versions: Versions, progress: Progress, signal: AbortSignal): Promise<string | undefined> {
  const { version } = versions.pulumi;
  progress(`downloading Pulumi ${version}`);
  try {
    const launcher = createRequire(join(projectRoot(), "package.json")).resolve("pulumi/run.js");
    await runGroup({
      program: process.execPath,
      words: [launcher, "version"],
      step: `download Pulumi ${version}`,
      signal,
      env: { ...ENVIRONMENT, PULUMI_VERSION: version },
    });
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
  return (await downloadedBefore(versions)) ? undefined : `${officialFolder(versions)} is incomplete`;
}

function target(): Omit<Output, "path"> {
  const arch: Arch = process.arch === "arm64" ? "arm64" : "amd64";
  return { os: process.platform === "darwin" ? "darwin" : "linux", arch };
}

function engineKey(versions: Versions): string {
  const { version, modules, dynamicProvider } = versions.pulumi;
  const { os, arch } = target();
  return ["pulumi", version, os, arch, "modules", recipeHash([modules, dynamicProvider])].join("-");
}

async function builtBefore(versions: Versions): Promise<Engine | undefined> {
  const entry = await new Cache().find(engineKey(versions));
  return entry && engineAt(entry.dir, versions.pulumi.version, "modules");
}

async function build(versions: Versions, refusal: string, progress: Progress, signal: AbortSignal): Promise<Engine> {
  const { version, modules, dynamicProvider } = versions.pulumi;
  await chooseSource("modules", signal).catch((error: unknown) => {
    throw noWay(version, refusal, error);
  });
  progress(`Pulumi cannot be downloaded (${refusal}), so it is built from Go modules`);
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
    what: `Pulumi ${version}`,
    progress,
    signal,
    fill,
  });
  return engineAt(entry.dir, version, "modules");
}

function noWay(version: string, refusal: string, error: unknown): StepError {
  return new StepError({
    step: `find Pulumi ${version}`,
    cause: `it is not on PATH, it cannot be downloaded (${refusal}), and it cannot be built (${messageOf(error)})`,
    action: "install Pulumi and put it on PATH, or install Go",
  });
}

async function buildModule(
  module: PinnedModule,
  folder: string,
  say: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const recipe: Recipe = { ...module, staging: false };
  const scratch = await mkdtemp(join(tmpdir(), "kubewright-go-"));
  try {
    for (const name of Object.keys(recipe.packages)) say(name);
    await prepareScratch(recipe, scratch, signal);
    for (const name of Object.keys(recipe.packages))
      await goBuild(recipe, name, scratch, { ...target(), path: join(folder, name) }, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function copyLauncher(source: string, folder: string): Promise<void> {
  const copy = join(folder, "pulumi-resource-pulumi-nodejs");
  await copyFile(source, copy);
  await chmod(copy, 0o755);
}
