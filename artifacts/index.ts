import { StepError } from "../common/errors";
import type { Progress } from "../common/progress";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { ArtifactSet, Images, LocalFile } from "../common/artifact-set";
import { Cache, type Entry } from "./cache";
import { APT, ZSTD, ensureBuildTools } from "./host-packages";
import {
  builtRefs,
  findArchive,
  imageSpecs,
  obtainArchive,
  pulledRefs,
  refsByRole,
  type ArchiveName,
  type ArchiveRequest,
} from "./images";
import { findKubeadmImages, obtainKubeadmImages } from "./kubeadm-images";
import { buildTargets, findTargets, planTargets } from "./modules";
import { downloadAll, downloadKey, planDownloads, type Remote } from "./official";
import { assertInstallable, findMinorProblem, findSourceProblem, isListed, type ReleaseProblem } from "./releases";
import { chooseSource, mirrorUrl, type Source } from "./source";
import { loadVersions, type Arch, type KubeadmImages } from "./versions";

export { obtainEngine, type Engine } from "./engine";
export { originOf, type Origin } from "./origin";
export { cacheRoot } from "../common/cache-root";
export type { ArtifactSet, ImageArchive, ImageRefs, LocalFile } from "../common/artifact-set";
export {
  DOCKER_BINARIES,
  IMAGE_BINARIES,
  NODE_BINARIES,
  type BinaryName,
  type DockerBinary,
  type ImageBinary,
  type NodeBinary,
} from "../common/binary-names";
export { assertInstallable, type ReleaseProblem } from "./releases";
export { loadVersions, type Arch } from "./versions";

export interface ArtifactRequest {
  /** `auto`, `official`, `modules`, or a mirror's URL. */
  source: string;
  /**
   * `1.36.3`: a version that versions.yaml lists, or, where downloads can be used, another patch release of the same
   * minor version.
   */
  kubernetes: string;
  arch: Arch;
  /** Determines the binaries, and the format of image archives. @default containerd */
  runtime?: Runtime;
  /** Include the images for end-to-end tests and examples, where images are built on the controller. @default false */
  extras?: boolean;
  /** Refuse files that are built on this computer: machines are to download them. @default false */
  downloadsOnly?: boolean;
  /** Hash every cached file, and rebuild damaged ones. Takes seconds instead of milliseconds. @default false */
  verify?: boolean;
}

/**
 * Returns all files that a cluster of this version needs: from the cache if it is complete, else downloaded or built,
 * which can take a quarter of an hour the first time. After an interruption, the next call continues where this one
 * stopped.
 * @throws StepError with the next action
 */
export async function obtainArtifacts(
  request: ArtifactRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<ArtifactSet> {
  const cached = await cachedArtifacts(request);
  if (cached) return cached;
  const choice = await chooseSource(request.source, signal);
  const { source, reason } = choice;
  if (request.downloadsOnly && source.kind === "modules") throw nothingToDownload(reason);
  progress(reason);
  const versions = loadVersions();
  const { kubernetes } = request;
  assertInstallable(kubernetes, await findSourceProblem(versions, kubernetes, choice, signal));
  const cache = new Cache({ thorough: request.verify });
  if (source.kind === "modules") return buildArtifacts(cache, request, reason, progress, signal);
  const kubeadm = await obtainKubeadmImages(cache, { versions, kubernetes, source }, progress, signal);
  const entries = await downloadAll(cache, downloadsOf(request), source, progress, signal);
  return downloadedSet({ source, reason, kubeadm }, request, entries);
}

/**
 * Returns why this version cannot be installed; undefined if it can. The network is used only for a version that is
 * neither listed in versions.yaml nor in the cache.
 */
export async function findReleaseProblem(
  request: ArtifactRequest,
  signal: AbortSignal,
): Promise<ReleaseProblem | undefined> {
  const versions = loadVersions();
  const { kubernetes } = request;
  const problem = findMinorProblem(versions, kubernetes);
  if (problem || isListed(versions, kubernetes) || (await cachedArtifacts(request))) return problem;
  try {
    return await findSourceProblem(versions, kubernetes, await chooseSource(request.source, signal), signal);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const { cause, action = "correct `source`" } = error.failure;
    return { reason: cause, action };
  }
}

/** Returns the artifacts only if all of them are in the cache. Uses no network, and takes well under a second. */
export async function cachedArtifacts(request: ArtifactRequest): Promise<ArtifactSet | undefined> {
  assertInstallable(request.kubernetes, findMinorProblem(loadVersions(), request.kubernetes));
  const cache = new Cache({ thorough: request.verify });
  for (const source of candidateSources(request.source)) {
    if (request.downloadsOnly && source.kind === "modules") continue;
    const artifacts =
      source.kind === "modules" ? await findBuilt(cache, request) : await findDownloaded(cache, source, request);
    if (artifacts) return artifacts;
  }
  return undefined;
}

function nothingToDownload(reason: string): StepError {
  return new StepError({
    step: "find a source for `transfer: pull`",
    cause: `${reason}; machines cannot download what is built on this computer`,
    action: "set `transfer` to auto or push, or `source` to official or to the URL of a mirror",
  });
}

function candidateSources(setting: string): Source[] {
  if (setting === "auto") return [{ kind: "official" }, { kind: "modules" }];
  if (setting === "official" || setting === "modules") return [{ kind: setting }];
  return [{ kind: "mirror", url: mirrorUrl(setting) }];
}

async function findDownloaded(
  cache: Cache,
  source: Remote,
  request: ArtifactRequest,
): Promise<ArtifactSet | undefined> {
  const { kubernetes } = request;
  const kubeadm = await findKubeadmImages(cache, { versions: loadVersions(), kubernetes, source });
  const entries = await Promise.all(downloadsOf(request).map((download) => cache.find(downloadKey(download, source))));
  if (!kubeadm || !entries.every((entry) => entry !== undefined)) return undefined;
  const reason = "all files are in the cache from earlier downloads";
  return downloadedSet({ source, reason, kubeadm }, request, entries);
}

interface Downloaded {
  source: Remote;
  reason: string;
  kubeadm: KubeadmImages;
}

function downloadedSet(
  { source, reason, kubeadm }: Downloaded,
  request: ArtifactRequest,
  entries: readonly Entry[],
): ArtifactSet {
  const refs = pulledRefs(loadVersions(), request.kubernetes, kubeadm);
  const registryMirror = source.kind === "mirror" ? source.url : undefined;
  return {
    source: registryMirror ?? "official",
    reason,
    binaries: binariesOf(entries),
    images: { kind: "pull", ...refsByRole(refs), registryMirror },
    refs,
  };
}

async function findBuilt(cache: Cache, request: ArtifactRequest): Promise<ArtifactSet | undefined> {
  if (!isListed(loadVersions(), request.kubernetes)) return undefined;
  const entries = await findTargets(cache, targetsOf(request));
  if (!entries) return undefined;
  const archives = await mapArchives(request, entries, (archive) => findArchive(cache, archive));
  if (!archives.worker || !archives.controlPlane || (request.extras && !archives.extras)) return undefined;
  const { worker, controlPlane, extras } = archives;
  const images = { kind: "archives", worker, controlPlane, extras } as const;
  return builtSet(request, "all files are in the cache from earlier builds", entries, images);
}

async function buildArtifacts(
  cache: Cache,
  request: ArtifactRequest,
  reason: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ArtifactSet> {
  // Checked before the long builds: the programs in the images come from Debian packages.
  await ensureBuildTools([APT], progress, signal);
  await preferZstd(progress, signal);
  const entries = await buildTargets(cache, targetsOf(request), progress, signal);
  const { worker, controlPlane, extras } = await mapArchives(request, entries, (archive) =>
    obtainArchive(cache, archive, progress, signal),
  );
  return builtSet(request, reason, entries, { kind: "archives", worker, controlPlane, extras });
}

async function preferZstd(progress: Progress, signal: AbortSignal): Promise<void> {
  await ensureBuildTools([ZSTD], progress, signal).catch(() => {
    signal.throwIfAborted();
    progress("zstd is not available on this computer: compressing images with gzip, which makes them larger");
  });
}

function builtSet(request: ArtifactRequest, reason: string, entries: readonly Entry[], images: Images): ArtifactSet {
  return {
    source: "modules",
    reason,
    binaries: binariesOf(entries),
    images,
    refs: builtRefs(loadVersions(), request.kubernetes),
  };
}

function targetsOf(request: ArtifactRequest) {
  return planTargets(loadVersions(), request.kubernetes, request.arch, request.extras ?? false, request.runtime);
}

function downloadsOf(request: ArtifactRequest) {
  return planDownloads(loadVersions(), request.kubernetes, request.arch, request.runtime);
}

interface Archives<T> {
  worker: T;
  controlPlane: T;
  extras?: T;
}

async function mapArchives<T>(
  request: ArtifactRequest,
  entries: readonly Entry[],
  obtain: (archive: ArchiveRequest) => Promise<T>,
): Promise<Archives<T>> {
  const { kubernetes, arch, runtime = DEFAULT_RUNTIME } = request;
  const specs = imageSpecs(loadVersions(), kubernetes);
  const obtainByName = (name: ArchiveName): Promise<T> =>
    obtain({ name, specs: specs[name], kubernetes, arch, runtime, binaries: filesOf(entries) });
  // Sequential: compression already uses all cores.
  const worker = await obtainByName("worker");
  const controlPlane = await obtainByName("control-plane");
  return { worker, controlPlane, extras: request.extras ? await obtainByName("extras") : undefined };
}

function filesOf(entries: readonly Entry[]): Record<string, LocalFile> {
  return Object.assign({}, ...entries.map((entry) => entry.files)) as Record<string, LocalFile>;
}

/** The plan contains every binary of this type, which a unit test checks. */
function binariesOf(entries: readonly Entry[]): ArtifactSet["binaries"] {
  return filesOf(entries) as ArtifactSet["binaries"];
}
