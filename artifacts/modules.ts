import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepError } from "../common/errors";
import type { Progress } from "../common/progress";
import { projectRoot } from "../common/project-root";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { Cache, Entry } from "./cache";
import { downloadModule, goBuild, prepareScratch, type Recipe } from "./go";
import { recipeHash, sha256Of } from "./hash";
import { runCommand } from "../common/process";
import { GCC, LIBC, PKG_CONFIG, SECCOMP, ensureBuildTools, type BuildTool } from "./host-packages";
import { componentsFor, fillTemplate, kubeadmImagesOf, type Arch, type GoModule, type Versions } from "./versions";

/** One binary to build. An interrupted run resumes with the first binary that is missing. */
export interface Target {
  name: string;
  /** The component's version: `1.36.3`. */
  version: string;
  arch: Arch;
  /** Absent for pause, whose C source is part of Kubewright. */
  recipe?: Recipe;
}

/**
 * Lists every binary of a cluster of this version, for a build from modules. `extras` adds those of the test images.
 */
export function planTargets(
  versions: Versions,
  kubernetes: string,
  arch: Arch,
  extras: boolean,
  runtime: Runtime = DEFAULT_RUNTIME,
): Target[] {
  const built = componentsFor(versions, runtime)
    .filter(([, component]) => extras || !component.extra)
    .flatMap(([name, component]) => {
      const version = name === "kubernetes" ? kubernetes : component.version;
      return component.modules.flatMap((module) => targetsOf(toRecipe(module, version, arch), version, arch));
    });
  return [...built, { name: "pause", version: kubeadmImagesOf(versions, kubernetes).pause, arch }];
}

function targetsOf(recipe: Recipe, version: string, arch: Arch): Target[] {
  return Object.keys(recipe.packages).map((name) => ({ name, version, arch, recipe }));
}

export function toRecipe(module: GoModule, version: string, arch: Arch): Recipe {
  const sum = module.sums[version];
  if (!sum)
    throw new StepError({
      step: `build ${module.path} ${version}`,
      cause: "versions.yaml has no sum for it",
      action: "add the sum",
    });
  const { path, staging, inPlace, packages, cgo, tags } = module;
  return {
    path,
    version: `v${version}`,
    sum,
    staging,
    inPlace,
    packages,
    cgo,
    tags,
    ldflags: fillTemplate(module.ldflags, { version, arch }),
  };
}

export async function targetKey(target: Target): Promise<string> {
  const { recipe } = target;
  const parts = recipe
    ? [recipe.packages[target.name], recipe.sum, recipe.cgo, recipe.tags, recipe.ldflags]
    : [await sha256Of(pauseSource())];
  return [target.name, target.version, target.arch, "modules", recipeHash(parts)].join("-");
}

/** Returns the entries of all targets, or undefined when one is missing. */
export async function findTargets(cache: Cache, targets: readonly Target[]): Promise<Entry[] | undefined> {
  const entries = await Promise.all(targets.map(async (target) => cache.find(await targetKey(target))));
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

/**
 * Builds the targets that the cache does not have, one at a time: a Go build already uses all cores.
 * @throws StepError when this computer cannot build, or when a module's sum differs from versions.yaml
 */
export async function buildTargets(
  cache: Cache,
  targets: readonly Target[],
  progress: Progress,
  signal: AbortSignal,
): Promise<Entry[]> {
  const existing = await findTargets(cache, targets);
  if (existing) return existing;
  assertNative(targets);
  await ensureBuildTools(buildToolsOf(targets), progress, signal);
  const scratches = new ScratchModules(signal);
  try {
    const entries: Entry[] = [];
    for (const [index, target] of targets.entries()) {
      const report = (activity: string): void =>
        progress(`${activity} (${index + 1}/${targets.length}) ${target.name} ${target.version}`);
      entries.push(await buildTarget(cache, target, scratches, { progress, signal, report }));
    }
    return entries;
  } finally {
    await scratches.remove();
  }
}

interface BuildContext {
  progress: Progress;
  signal: AbortSignal;
  report: (activity: string) => void;
}

async function buildTarget(
  cache: Cache,
  target: Target,
  scratches: ScratchModules,
  context: BuildContext,
): Promise<Entry> {
  const { progress, signal, report } = context;
  return cache.obtain({
    key: await targetKey(target),
    label: `${target.name} ${target.version}`,
    progress,
    signal,
    fill: async (folder) => {
      const output = join(folder, target.name);
      if (!target.recipe) return buildPause(target, output, context);
      const scratch = await scratches.prepare(target.recipe, () => report("resolving modules for"));
      report("building");
      await goBuild(target.recipe, target.name, scratch, { path: output, os: "linux", arch: target.arch }, signal);
    },
  });
}

function pauseSource(): string {
  return join(projectRoot(), "templates", "pause", "pause.c");
}

async function buildPause(target: Target, output: string, { report, signal }: BuildContext): Promise<void> {
  report("building");
  const args = ["-static", "-Os", "-s", `-DVERSION="${target.version}"`, "-o", output, pauseSource()];
  await runCommand("gcc", args, { step: "build pause", signal, stopGroupWith: "SIGTERM" });
}

function buildToolsOf(targets: readonly Target[]): BuildTool[] {
  const seccomp = targets.some(({ recipe }) => recipe?.tags.includes("seccomp"));
  const c = targets.some(({ recipe }) => !recipe || recipe.cgo);
  return [...(c ? [GCC, LIBC] : []), ...(seccomp ? [SECCOMP, PKG_CONFIG] : [])];
}

/** Refuses other platforms than the controller's: C code is linked against the controller's libraries. */
function assertNative(targets: readonly Target[]): void {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const foreign = targets.find((target) => target.arch !== arch || process.platform !== "linux");
  if (!foreign) return;
  const platform = `linux/${foreign.arch}`;
  throw new StepError({
    step: `build ${foreign.name} for ${platform}`,
    cause: `this computer is ${process.platform}/${arch}, and C code can only be built for the same platform`,
    action: `set \`source\` to \`official\` or to the URL of a mirror, or run on a ${platform} computer`,
  });
}

/** The folders in which modules are built in this run: scratch modules, or the folder of the module itself. */
class ScratchModules {
  private root?: string;
  private readonly prepared = new Map<string, string>();

  constructor(private readonly signal: AbortSignal) {}

  /** Returns the build folder of a recipe. Calls `onPrepare` before it resolves modules for the first time. */
  async prepare(recipe: Recipe, onPrepare: () => void): Promise<string> {
    const key = recipeHash([recipe.path, recipe.version, recipe.packages]);
    const existing = this.prepared.get(key);
    if (existing) return existing;
    onPrepare();
    if (recipe.inPlace) return (await downloadModule(recipe.path, recipe.version, recipe.sum, this.signal)).Dir;
    this.root ??= await mkdtemp(join(tmpdir(), "kubewright-go-"));
    const folder = join(this.root, key);
    await prepareScratch(recipe, folder, this.signal);
    this.prepared.set(key, folder);
    return folder;
  }

  async remove(): Promise<void> {
    if (this.root) await rm(this.root, { recursive: true, force: true });
  }
}
