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
import { GCC, LIBC, PKG_CONFIG, SECCOMP, ensureHost, type Need } from "./host-packages";
import { runGroup } from "./process";
import { componentsFor, fill, kubeadmImagesOf, type Arch, type GoModule, type Versions } from "./versions";

/** One binary to build: the unit that an interrupted run resumes at. */
export interface Target {
  name: string;
  /** Of the component: 1.36.3. */
  version: string;
  arch: Arch;
  /** Absent for pause, which is C and ours. */
  recipe?: Recipe;
}

/** Every binary that a cluster of this version needs when all is built here; with `extras` the test images' too. */
export function plannedTargets(
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
    ldflags: fill(module.ldflags, { version, arch }),
  };
}

export async function targetKey(target: Target): Promise<string> {
  const { recipe } = target;
  const parts = recipe
    ? [recipe.packages[target.name], recipe.sum, recipe.cgo, recipe.tags, recipe.ldflags]
    : [await sha256Of(pauseSource())];
  return [target.name, target.version, target.arch, "modules", recipeHash(parts)].join("-");
}

/** The finished targets, or undefined when one is missing. */
export async function findTargets(cache: Cache, targets: readonly Target[]): Promise<Entry[] | undefined> {
  const found = await Promise.all(targets.map(async (target) => cache.find(await targetKey(target))));
  return found.every((entry) => entry !== undefined) ? found : undefined;
}

/**
 * Builds what the cache does not have, one after the other: a Go build uses all cores by itself.
 * Throws a StepError when this machine cannot build, or when a module's sum is not the one in versions.yaml.
 */
export async function buildTargets(
  cache: Cache,
  targets: readonly Target[],
  progress: Progress,
  signal: AbortSignal,
): Promise<Entry[]> {
  const done = await findTargets(cache, targets);
  if (done) return done;
  refuseForeign(targets);
  await ensureHost(needsOf(targets), progress, signal);
  const scratches = new Scratches(signal);
  try {
    const entries: Entry[] = [];
    for (const [index, target] of targets.entries()) {
      const say = (doing: string): void =>
        progress(`${doing} (${index + 1}/${targets.length}) ${target.name} ${target.version}`);
      entries.push(await buildTarget(cache, target, scratches, { progress, signal, say }));
    }
    return entries;
  } finally {
    await scratches.remove();
  }
}

interface Run {
  progress: Progress;
  signal: AbortSignal;
  say: (doing: string) => void;
}

async function buildTarget(cache: Cache, target: Target, scratches: Scratches, run: Run): Promise<Entry> {
  return cache.obtain({
    key: await targetKey(target),
    what: `${target.name} ${target.version}`,
    progress: run.progress,
    signal: run.signal,
    fill: async (folder) => {
      const output = join(folder, target.name);
      if (!target.recipe) return buildPause(target, output, run);
      const scratch = await scratches.of(target.recipe, () => run.say("resolving modules for"));
      run.say("building");
      await goBuild(target.recipe, target.name, scratch, { path: output, os: "linux", arch: target.arch }, run.signal);
    },
  });
}

function pauseSource(): string {
  return join(projectRoot(), "templates", "pause", "pause.c");
}

async function buildPause(target: Target, output: string, run: Run): Promise<void> {
  run.say("building");
  const words = ["-static", "-Os", "-s", `-DVERSION="${target.version}"`, "-o", output, pauseSource()];
  await runGroup({ program: "gcc", words, step: "build pause", signal: run.signal });
}

function needsOf(targets: readonly Target[]): Need[] {
  const seccomp = targets.some(({ recipe }) => recipe?.tags.includes("seccomp"));
  const c = targets.some(({ recipe }) => !recipe || recipe.cgo);
  return [...(c ? [GCC, LIBC] : []), ...(seccomp ? [SECCOMP, PKG_CONFIG] : [])];
}

/** C parts are linked against this machine's libraries: so only for a machine like this one. */
function refuseForeign(targets: readonly Target[]): void {
  const here = process.arch === "x64" ? "amd64" : process.arch;
  const other = targets.find((target) => target.arch !== here || process.platform !== "linux");
  if (!other) return;
  throw new StepError({
    step: `build ${other.name} for linux/${other.arch}`,
    cause: `this machine is ${process.platform}/${here}, and parts in C are built for the machine that builds them`,
    action: "use the official source or a mirror, or run on such a machine",
  });
}

/** Where to build from: a scratch module for each module that is built from in this run, or the module itself. */
class Scratches {
  private root?: string;
  private readonly prepared = new Map<string, string>();

  constructor(private readonly signal: AbortSignal) {}

  async of(recipe: Recipe, onPrepare: () => void): Promise<string> {
    const key = recipeHash([recipe.path, recipe.version, recipe.packages]);
    const known = this.prepared.get(key);
    if (known) return known;
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
