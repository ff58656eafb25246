import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StepError } from "../common/errors";
import { runCommand } from "../common/process";
import type { Arch } from "./versions";

/** One Go module at one version, and the binaries that are built from it. */
export interface Recipe {
  path: string;
  /** In Go's form: `v1.36.3`. */
  version: string;
  /** The `h1:` sum that the module must have. */
  sum: string;
  staging: boolean;
  /** Built without a scratch module, see versions.yaml. */
  inPlace?: boolean;
  /** Name of a binary to its Go package. */
  packages: Record<string, string>;
  cgo: boolean;
  tags: readonly string[];
  ldflags: string;
}

const downloaded = z.object({ Dir: z.string(), GoMod: z.string(), Sum: z.string() });
export type Downloaded = z.infer<typeof downloaded>;

/**
 * `-mod=mod` lets Go complete the scratch go.mod. The user's workspace and GOFLAGS are ignored, so that builds do not
 * depend on them.
 */
const GO_ENV = { GOFLAGS: "-mod=mod -buildvcs=false", GOWORK: "off" };

const ACTION = "check access to the Go module proxy (`go env GOPROXY`), then try again: completed builds are kept";

/**
 * Downloads a module to Go's module cache and verifies its sum.
 * @throws StepError when the sum differs from versions.yaml
 */
export async function downloadModule(
  path: string,
  version: string,
  sum: string,
  signal: AbortSignal,
): Promise<Downloaded> {
  const step = `download Go module ${path}@${version}`;
  const options = { step, action: ACTION, signal, env: GO_ENV, stopGroupWith: "SIGTERM" } as const;
  const text = await runCommand("go", ["mod", "download", "-json", `${path}@${version}`], options);
  const download = downloaded.parse(JSON.parse(text));
  if (download.Sum === sum) return download;
  throw new StepError({
    step,
    cause: `its sum is ${download.Sum}, but versions.yaml requires ${sum}`,
    action: "do not use this module: find out why it changed, or correct versions.yaml",
  });
}

/**
 * Writes a scratch module to `folder` that requires the recipe's module and imports its packages. `go install
 * package@version` needs more of a module proxy and cannot replace Kubernetes' staging modules.
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
  await runCommand("go", ["mod", "tidy"], {
    step: `resolve the modules of ${recipe.path}`,
    action: ACTION,
    signal,
    cwd: folder,
    env: GO_ENV,
    stopGroupWith: "SIGTERM",
  });
}

/**
 * Returns `replace k8s.io/api => k8s.io/api v0.36.3` for every line of Kubernetes' go.mod that points into its own
 * tree.
 */
export function stagingReplaces(goMod: string, version: string): string[] {
  const own = version.replace(/^v1\./, "v0.");
  const lines = goMod.matchAll(/^\s*(?:replace\s+)?(k8s\.io\/\S+)\s+=>\s+\.\/staging\//gm);
  return [...lines].map(([, name]) => `replace ${name} => ${name} ${own}`);
}

export interface Output {
  /** Path of the binary. */
  path: string;
  os: "linux" | "darwin";
  arch: Arch;
}

/** Builds one binary in a prepared scratch module, or in the folder of the module itself. */
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
  await runCommand("go", ["build", "-trimpath", ...tags, "-ldflags", recipe.ldflags, "-o", output.path, target], {
    step: `build ${name} ${recipe.version}`,
    action: "try again: completed builds are kept",
    signal,
    cwd: scratch,
    env: { ...GO_ENV, GOOS: output.os, GOARCH: output.arch, CGO_ENABLED: recipe.cgo ? "1" : "0" },
    stopGroupWith: "SIGTERM",
  });
}
