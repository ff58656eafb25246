import { parseArgs } from "node:util";
import {
  obtainArtifacts,
  obtainEngine,
  loadVersions,
  cacheRoot,
  type ArtifactSet,
  type LocalFile,
} from "../../artifacts";
import { DEFAULT_RUNTIME, RUNTIMES } from "../../common/runtime";

const USAGE = `Fills the per-user cache, so that later runs neither download nor build.

  npm run artifacts -- [--source auto|official|modules|<mirror>] [--kubernetes <version>] [--arch amd64|arm64]
                       [--runtime containerd|docker] [--extras] [--engine] [--verify]

  --extras  also the images for end-to-end tests and examples
  --engine  also Pulumi's engine
  --verify  hash every cached file, and make damaged ones again`;

/** `npm run artifacts`: the long work of a first `npm start`, by itself. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      source: { type: "string", default: "auto" },
      kubernetes: { type: "string", default: loadVersions().kubernetes.default },
      arch: { type: "string", default: process.arch === "arm64" ? "arm64" : "amd64" },
      runtime: { type: "string", default: DEFAULT_RUNTIME },
      extras: { type: "boolean", default: false },
      engine: { type: "boolean", default: false },
      verify: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.arch !== "amd64" && values.arch !== "arm64")
    throw new Error(`--arch ${values.arch}: it is amd64 or arm64`);
  const { source, kubernetes, arch, extras, verify } = values;
  const runtime = RUNTIMES.find((known) => known === values.runtime);
  if (runtime === undefined) throw new Error(`--runtime ${values.runtime}: it is ${RUNTIMES.join(" or ")}`);
  const set = await obtainArtifacts({ source, kubernetes, arch, runtime, extras, verify }, say, stopped());
  show(set);
  if (values.engine) showEngine(await obtainEngine(say, stopped()));
  return 0;
}

function say(message: string): void {
  console.error(`${process.uptime().toFixed(1).padStart(7)} s  ${message}`);
}

function stopped(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
  return controller.signal;
}

function show(set: ArtifactSet): void {
  console.log(`source: ${set.source} (${set.reason})\ncache:  ${cacheRoot()}\n`);
  for (const [name, file] of Object.entries(set.binaries)) row(name, file);
  if (set.images.kind === "pull") {
    console.log(`\nnodes pull: ${[...set.images.worker, ...set.images.controlPlane].join(" ")}`);
    return;
  }
  const { worker, controlPlane, extras } = set.images;
  for (const [name, archive] of Object.entries({ worker, "control plane": controlPlane, extras })) {
    if (!archive) continue;
    console.log();
    row(`images: ${name}`, archive);
    for (const ref of archive.refs) console.log(`  ${ref}`);
  }
}

function showEngine(engine: { version: string; origin: string; binDir: string }): void {
  console.log(`\nPulumi ${engine.version} (${engine.origin}) in ${engine.binDir}`);
}

function row(name: string, file: LocalFile): void {
  console.log(
    `${name.padEnd(26)} ${(file.size / 1e6).toFixed(1).padStart(7)} MB  ${file.sha256.slice(0, 16)}  ${file.path}`,
  );
}
