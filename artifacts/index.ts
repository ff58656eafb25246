import type { Progress } from "../common/progress";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import { Cache, type Entry, type LocalFile } from "./cache";
import { APT, ZSTD, ensureHost } from "./host-packages";
import {
  findArchive,
  imageRefs,
  imageSpecs,
  obtainArchive,
  refsFor,
  type ArchiveName,
  type ArchiveRequest,
  type ImageArchive,
  type ImageRefs,
} from "./images";
import { buildTargets, findTargets, plannedTargets } from "./modules";
import type { DockerBinary, ImageBinary, NodeBinary } from "./names";
import { fetchAll, fetchKey, plannedFetches, type Remote } from "./official";
import { chooseSource, mirrorUrl, type Source } from "./source";
import { kubeadmImagesOf, loadVersions, type Arch } from "./versions";

export { obtainEngine, type Engine } from "./engine";
export { cacheRoot, type LocalFile } from "./cache";
export type { ImageArchive, ImageRefs } from "./images";
export {
  DOCKER_BINARIES,
  IMAGE_BINARIES,
  NODE_BINARIES,
  type BinaryName,
  type DockerBinary,
  type ImageBinary,
  type NodeBinary,
} from "./names";
export { loadVersions, type Arch } from "./versions";

export interface ArtifactRequest {
  /** auto, official, modules, or a mirror's address. */
  source: string;
  /** 1.36.3; one of versions.yaml. */
  kubernetes: string;
  arch: Arch;
  /** Whose binaries, and whose form of image archives. @default containerd */
  runtime?: Runtime;
  /** Also the images for end-to-end tests and examples; only where images are made here. */
  extras?: boolean;
  /** Hash every cached file, and make damaged ones again; seconds instead of milliseconds. */
  verify?: boolean;
}

export type Images =
  | { kind: "archives"; worker: ImageArchive; controlPlane: ImageArchive; extras?: ImageArchive }
  /** Nodes pull. A mirror has the registry R's API at `<registryMirror>/R/v2` (containerd: hosts.toml with override_path = true). */
  | { kind: "pull"; worker: string[]; controlPlane: string[]; registryMirror?: string };

export interface ArtifactSet {
  /** official, modules, or the mirror's address. */
  source: string;
  /** A sentence for the person: why this source. */
  reason: string;
  binaries: Record<NodeBinary, LocalFile> & Partial<Record<ImageBinary | DockerBinary, LocalFile>>;
  images: Images;
  /** For kubeadm (imageTag of dns and etcd), containerd's sandbox and flannel's manifest. */
  refs: ImageRefs;
}

/**
 * Everything that a cluster of this version needs, as files on this machine: from the cache when it is complete, else downloaded or built,
 * which may take a quarter of an hour the first time. An interrupted call goes on where it stopped.
 * Throws a StepError that says what to do.
 */
export async function obtainArtifacts(
  request: ArtifactRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<ArtifactSet> {
  const cached = await cachedArtifacts(request);
  if (cached) return cached;
  const { source, reason } = await chooseSource(request.source, signal);
  progress(reason);
  const cache = new Cache({ thorough: request.verify });
  if (source.kind === "modules") return build(cache, request, reason, progress, signal);
  const entries = await fetchAll(
    cache,
    plannedFetches(loadVersions(), request.kubernetes, request.arch, request.runtime),
    source,
    progress,
    signal,
  );
  return pulling(source, reason, request, entries);
}

/** The same, only if all of it is in the cache: no network, no building, well under a second. */
export async function cachedArtifacts(request: ArtifactRequest): Promise<ArtifactSet | undefined> {
  kubeadmImagesOf(loadVersions(), request.kubernetes);
  const cache = new Cache({ thorough: request.verify });
  for (const source of candidates(request.source)) {
    const found =
      source.kind === "modules" ? await findBuilt(cache, request) : await findFetched(cache, source, request);
    if (found) return found;
  }
  return undefined;
}

function candidates(setting: string): Source[] {
  if (setting === "auto") return [{ kind: "official" }, { kind: "modules" }];
  if (setting === "official" || setting === "modules") return [{ kind: setting }];
  return [{ kind: "mirror", url: mirrorUrl(setting) }];
}

async function findFetched(cache: Cache, source: Remote, request: ArtifactRequest): Promise<ArtifactSet | undefined> {
  const fetches = plannedFetches(loadVersions(), request.kubernetes, request.arch, request.runtime);
  const found = await Promise.all(fetches.map((fetch) => cache.find(fetchKey(fetch, source))));
  if (!found.every((entry) => entry !== undefined)) return undefined;
  return pulling(source, "all of it was downloaded before", request, found);
}

function pulling(source: Remote, reason: string, request: ArtifactRequest, entries: readonly Entry[]): ArtifactSet {
  const refs = imageRefs(loadVersions(), request.kubernetes, false);
  const registryMirror = source.kind === "mirror" ? source.url : undefined;
  return {
    source: registryMirror ?? "official",
    reason,
    binaries: binariesOf(entries),
    images: { kind: "pull", ...refsFor(refs), registryMirror },
    refs,
  };
}

async function findBuilt(cache: Cache, request: ArtifactRequest): Promise<ArtifactSet | undefined> {
  const entries = await findTargets(cache, targetsOf(request));
  if (!entries) return undefined;
  const archives = await eachArchive(request, entries, (archive) => findArchive(cache, archive));
  if (!archives.worker || !archives.controlPlane || (request.extras && !archives.extras)) return undefined;
  const { worker, controlPlane, extras } = archives;
  return built(request, "all of it was built before", entries, { kind: "archives", worker, controlPlane, extras });
}

async function build(
  cache: Cache,
  request: ArtifactRequest,
  reason: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ArtifactSet> {
  // Asked before the long work: the images' programs come from Debian packages.
  await ensureHost([APT], progress, signal);
  await preferZstd(progress, signal);
  const entries = await buildTargets(cache, targetsOf(request), progress, signal);
  const { worker, controlPlane, extras } = await eachArchive(request, entries, (archive) =>
    obtainArchive(cache, archive, progress, signal),
  );
  return built(request, reason, entries, { kind: "archives", worker, controlPlane, extras });
}

async function preferZstd(progress: Progress, signal: AbortSignal): Promise<void> {
  await ensureHost([ZSTD], progress, signal).catch(() => {
    signal.throwIfAborted();
    progress("zstd cannot be had on this machine: images are compressed with gzip, which makes them larger");
  });
}

function built(request: ArtifactRequest, reason: string, entries: readonly Entry[], images: Images): ArtifactSet {
  return {
    source: "modules",
    reason,
    binaries: binariesOf(entries),
    images,
    refs: imageRefs(loadVersions(), request.kubernetes, true),
  };
}

function targetsOf(request: ArtifactRequest) {
  return plannedTargets(loadVersions(), request.kubernetes, request.arch, request.extras ?? false, request.runtime);
}

interface Archives<T> {
  worker: T;
  controlPlane: T;
  extras?: T;
}

async function eachArchive<T>(
  request: ArtifactRequest,
  entries: readonly Entry[],
  bring: (archive: ArchiveRequest) => Promise<T>,
): Promise<Archives<T>> {
  const { kubernetes, arch, runtime = DEFAULT_RUNTIME } = request;
  const specs = imageSpecs(loadVersions(), kubernetes);
  const of = (name: ArchiveName): Promise<T> =>
    bring({ name, specs: specs[name], kubernetes, arch, runtime, binaries: filesOf(entries) });
  // One after the other: compression uses all cores by itself.
  const worker = await of("worker");
  const controlPlane = await of("control-plane");
  return { worker, controlPlane, extras: request.extras ? await of("extras") : undefined };
}

function filesOf(entries: readonly Entry[]): Record<string, LocalFile> {
  return Object.assign({}, ...entries.map((entry) => entry.files)) as Record<string, LocalFile>;
}

/** The plan names each of them: a test holds the two together. */
function binariesOf(entries: readonly Entry[]): ArtifactSet["binaries"] {
  return filesOf(entries) as ArtifactSet["binaries"];
}
