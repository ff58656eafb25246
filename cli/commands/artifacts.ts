import {
  cacheRoot,
  loadVersions,
  obtainArtifacts,
  obtainEngine,
  type ArtifactSet,
  type LocalFile,
} from "../../artifacts";
import { DEFAULT_RUNTIME, RUNTIMES } from "../../common/runtime";
import type { Options } from "../terminal/options";

/** `npm run artifacts`: fills the cache of binaries and images. */
export async function run({ values, flags }: Options): Promise<number> {
  const request = {
    source: values.source ?? "auto",
    kubernetes: values.kubernetes ?? loadVersions().kubernetes.default,
    arch: (values.arch ?? process.arch) === "arm64" ? ("arm64" as const) : ("amd64" as const),
    runtime: RUNTIMES.find((runtime) => runtime === values.runtime) ?? DEFAULT_RUNTIME,
    extras: flags.has("extras"),
    verify: flags.has("verify"),
  };
  const signal = interruptSignal();
  print(await obtainArtifacts(request, printProgress, signal));
  if (flags.has("engine")) printEngine(await obtainEngine(printProgress, signal));
  return 0;
}

function printProgress(message: string): void {
  process.stderr.write(`${process.uptime().toFixed(1).padStart(7)} s  ${message}\n`);
}

function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
  return controller.signal;
}

function print(set: ArtifactSet): void {
  const lines = [`source: ${set.source} (${set.reason})`, `cache:  ${cacheRoot()}`, ""];
  for (const [name, file] of Object.entries(set.binaries)) lines.push(row(name, file));
  lines.push(...imageLines(set.images));
  process.stdout.write(`${lines.join("\n")}\n`);
}

function imageLines(images: ArtifactSet["images"]): string[] {
  if (images.kind === "pull") return ["", `nodes pull: ${[...images.worker, ...images.controlPlane].join(" ")}`];
  const { worker, controlPlane, extras } = images;
  return Object.entries({ worker, "control plane": controlPlane, extras }).flatMap(([name, archive]) =>
    archive ? ["", row(`images: ${name}`, archive), ...archive.refs.map((ref) => `  ${ref}`)] : [],
  );
}

function printEngine({ version, origin, binDir }: { version: string; origin: string; binDir: string }): void {
  process.stdout.write(`\nPulumi ${version} (${origin}) in ${binDir}\n`);
}

function row(name: string, { size, sha256, path }: LocalFile): string {
  const megabytes = (size / 1e6).toFixed(1).padStart(7);
  return `${name.padEnd(26)} ${megabytes} MB  ${sha256.slice(0, 16)}  ${path}`;
}
