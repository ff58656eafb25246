import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StepError } from "../common/errors";
import { runGroup } from "./process";
import type { Arch } from "./versions";

/** One Go module at one version, with what is built from it. */
export interface Recipe {
  path: string;
  /** As Go writes it: v1.36.3. */
  version: string;
  /** The h1: sum that the module must have. */
  sum: string;
  staging: boolean;
  /** No scratch module: see versions.yaml. */
  inPlace?: boolean;
  /** Binary's name -> Go package. */
  packages: Record<string, string>;
  cgo: boolean;
  tags: readonly string[];
  ldflags: string;
}

const downloaded = z.object({ Dir: z.string(), GoMod: z.string(), Sum: z.string() });
export type Downloaded = z.infer<typeof downloaded>;

/**
 * -mod=mod: the scratch go.mod is ours to complete. No workspace of the user may join in.
 * Their own GOFLAGS are left out: a build here must not depend on them.
 */
const GO_ENV = { GOFLAGS: "-mod=mod -buildvcs=false", GOWORK: "off" };

const ACTION = "see that the Go module proxy can be reached (go env GOPROXY), then try again: finished parts are kept";

/** Fetches a module into Go's own cache and checks its content against the sum that we know. Throws a StepError when it differs. */
export async function downloadModule(
  path: string,
  version: string,
  sum: string,
  signal: AbortSignal,
): Promise<Downloaded> {
  const step = `fetch Go module ${path}@${version}`;
  const text = await runGroup({
    program: "go",
    words: ["mod", "download", "-json", `${path}@${version}`],
    step,
    action: ACTION,
    signal,
    env: GO_ENV,
  });
  const found = downloaded.parse(JSON.parse(text));
  if (found.Sum === sum) return found;
  throw new StepError({
    step,
    cause: `its sum is ${found.Sum}, versions.yaml says ${sum}`,
    action: "do not use it: find out who changed the module, or correct versions.yaml",
  });
}

/**
 * Makes `folder` a module that requires the recipe's module and imports its packages: `go install package@version` would need
 * more of a proxy, and cannot replace Kubernetes' staging modules.
 */
export async function prepareScratch(recipe: Recipe, folder: string, signal: AbortSignal): Promise<void> {
  const module = await downloadModule(recipe.path, recipe.version, recipe.sum, signal);
  const replaces = recipe.staging ? stagingReplaces(await readFile(module.GoMod, "utf8"), recipe.version) : [];
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "go.mod"),
    ["module scratch", "go 1.26", `require ${recipe.path} ${recipe.version}`, ...replaces, ""].join("\n"),
  );
  const imports = Object.values(recipe.packages).map((name) => `import _ "${name}"`);
  await writeFile(join(folder, "tools.go"), ["//go:build tools", "package scratch", ...imports, ""].join("\n"));
  await runGroup({
    program: "go",
    words: ["mod", "tidy"],
    step: `resolve the modules of ${recipe.path}`,
    action: ACTION,
    signal,
    cwd: folder,
    env: GO_ENV,
  });
}

/** `replace k8s.io/api => k8s.io/api v0.36.3` for every line of Kubernetes' go.mod that points into its own tree. */
export function stagingReplaces(goMod: string, version: string): string[] {
  const own = version.replace(/^v1\./, "v0.");
  const lines = goMod.matchAll(/^\s*(?:replace\s+)?(k8s\.io\/\S+)\s+=>\s+\.\/staging\//gm);
  return [...lines].map(([, name]) => `replace ${name} => ${name} ${own}`);
}

export interface Output {
  /** The file to make. */
  path: string;
  os: "linux" | "darwin";
  arch: Arch;
}

/** Builds the binary `name` of a prepared scratch module, or of a module in its own folder. */
export async function goBuild(
  recipe: Recipe,
  name: string,
  scratch: string,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const tags = recipe.tags.length > 0 ? ["-tags", recipe.tags.join(" ")] : [];
  const target = recipe.packages[name];
  if (!target) throw new Error(`${recipe.path} has no package for ${name}`);
  await runGroup({
    program: "go",
    words: ["build", "-trimpath", ...tags, "-ldflags", recipe.ldflags, "-o", output.path, target],
    step: `build ${name} ${recipe.version}`,
    action: "try again: finished parts are kept",
    signal,
    cwd: scratch,
    env: { ...GO_ENV, GOOS: output.os, GOARCH: output.arch, CGO_ENABLED: recipe.cgo ? "1" : "0" },
  });
}
