import { createReadStream, createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { StepError, messageOf } from "../common/errors";
import type { Progress } from "../common/progress";
import { Semaphore } from "../common/wait";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { Cache, Entry } from "./cache";
import { downloadText, downloadTo, findPublishedSum } from "./download";
import { recipeHash } from "./hash";
import { originNotes } from "./origin";
import type { Source } from "./source";
import { componentsFor, fillTemplate, type Arch, type Download, type Versions } from "./versions";

/** Parallel downloads: enough to use the bandwidth without burdening the servers. */
const PARALLEL = 3;

export type Remote = Extract<Source, { kind: "official" | "mirror" }>;

/** One download of versions.yaml, for one version and architecture. */
export interface PlannedDownload {
  name: string;
  version: string;
  arch: Arch;
  url: string;
  checksum: string;
  pinned?: string;
  /** Name of a binary to its path in the tar.gz. Absent when the download is the binary itself. */
  members?: Record<string, string>;
}

/** Lists every download that a cluster of this version needs. */
export function planDownloads(
  versions: Versions,
  kubernetes: string,
  arch: Arch,
  runtime: Runtime = DEFAULT_RUNTIME,
): PlannedDownload[] {
  return componentsFor(versions, runtime).flatMap(([name, component]) => {
    const version = name === "kubernetes" ? kubernetes : component.version;
    return component.downloads.map((download) => planDownload(download, version, arch));
  });
}

function planDownload(download: Download, version: string, arch: Arch): PlannedDownload {
  const fill = (template: string): string => fillTemplate(template, { version, arch });
  const members =
    download.members && Object.fromEntries(Object.entries(download.members).map(([name, path]) => [name, fill(path)]));
  const pinned = download.pinned[`${version}-${arch}`];
  return {
    name: download.name,
    version,
    arch,
    url: fill(download.url),
    checksum: fill(download.checksum),
    pinned,
    members,
  };
}

/**
 * Returns the URL at which the source serves an official URL. The layout of a mirror is `<mirror>/<official
 * host>/<path>`.
 */
export function sourceUrl(source: Remote, url: string): string {
  if (source.kind === "official") return url;
  const { host, pathname } = new URL(url);
  return `${source.url}/${host}${pathname}`;
}

export function downloadKey({ name, version, arch, url, members, pinned }: PlannedDownload, source: Remote): string {
  const recipe = recipeHash([url, members, pinned, source.kind === "mirror" ? source.url : ""]);
  return [name, version, arch, source.kind, recipe].join("-");
}

/** Downloads files into the cache, a few in parallel. The first failure stops the others. */
export async function downloadAll(
  cache: Cache,
  downloads: PlannedDownload[],
  source: Remote,
  progress: Progress,
  signal: AbortSignal,
): Promise<Entry[]> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const semaphore = new Semaphore(PARALLEL);
  const obtain = (download: PlannedDownload, index: number): Promise<Entry> => {
    const position = `(${index + 1}/${downloads.length})`;
    const onStart = () => progress(`downloading ${position} ${download.name} ${download.version}`);
    return semaphore.use(() => obtainDownload(cache, download, source, { progress, signal: both, onStart }));
  };
  const outcomes = await Promise.allSettled(
    downloads.map((download, index) =>
      obtain(download, index).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
}

interface DownloadContext {
  progress: Progress;
  signal: AbortSignal;
  onStart: () => void;
}

async function obtainDownload(
  cache: Cache,
  download: PlannedDownload,
  source: Remote,
  { progress, signal, onStart }: DownloadContext,
): Promise<Entry> {
  return cache.obtain({
    key: downloadKey(download, source),
    label: `${download.name} ${download.version}`,
    progress,
    signal,
    fill: async (folder) => {
      onStart();
      const { path, sha256 } = await downloadVerified(download, source, folder, signal);
      const members = await unpack(download, path, folder, signal);
      return originNotes(sourceUrl(source, download.url), sha256, members);
    },
  });
}

async function downloadVerified(
  download: PlannedDownload,
  source: Remote,
  folder: string,
  signal: AbortSignal,
): Promise<{ path: string; sha256: string }> {
  const action =
    source.kind === "official"
      ? "check the network, or set `source` to the URL of a mirror"
      : `check that the mirror at ${source.url} is up and serves this file`;
  const path = join(folder, "download");
  const url = sourceUrl(source, download.url);
  const checksums = await downloadText(sourceUrl(source, download.checksum), { signal, action });
  const published = publishedSumOf(download, checksums);
  const actual = await downloadTo(url, path, { signal, action });
  if (actual !== published) throw checksumError(url, actual, `the published checksum is ${published}`);
  const { pinned = actual } = download;
  if (actual !== pinned) throw checksumError(url, actual, `versions.yaml requires ${pinned}`);
  return { path, sha256: actual };
}

function publishedSumOf(download: PlannedDownload, text: string): string {
  const sum = findPublishedSum(text, basename(download.url));
  if (sum) return sum;
  throw new StepError({
    step: `verify ${download.url}`,
    cause: `${download.checksum} does not list its sha256`,
    action: "check the file that the source serves there",
  });
}

function checksumError(url: string, actual: string, expectation: string): StepError {
  return new StepError({
    step: `verify ${url}`,
    cause: `its sha256 is ${actual}, but ${expectation}`,
    action: "do not use this file; try again and, if the error persists, report it to the operator of the source",
  });
}

/** @returns the name of each file to its path in the archive, as the archive spells it; undefined without an archive */
async function unpack(
  download: PlannedDownload,
  path: string,
  folder: string,
  signal: AbortSignal,
): Promise<Record<string, string> | undefined> {
  if (!download.members) {
    await rename(path, join(folder, download.name));
    await chmod(join(folder, download.name), 0o755);
    return undefined;
  }
  const extracted = await extractMembers(path, download.members, folder, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new StepError({ step: `unpack ${download.url}`, cause: messageOf(error), action: "try again" });
  });
  await rm(path);
  const missing = Object.keys(download.members).filter((name) => !(name in extracted));
  if (missing.length === 0) return extracted;
  throw new StepError({
    step: `unpack ${download.url}`,
    cause: `the archive does not contain ${missing.join(", ")}`,
    action: "correct `members` in versions.yaml",
  });
}

/** Extracts members by name. Returns the names that the archive has, with their paths as the archive spells them. */
async function extractMembers(
  archive: string,
  members: Record<string, string>,
  folder: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const extracted: Record<string, string> = {};
  const requested = new Map(Object.entries(members).map(([name, path]) => [path, name]));
  const entries = extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), entries, { signal });
  const writing = (async () => {
    for await (const entry of entries) {
      const name = requested.get(entry.header.name.replace(/^\.\//, ""));
      if (name === undefined) {
        entry.resume();
        continue;
      }
      await pipeline(entry, createWriteStream(join(folder, name), { mode: 0o755 }));
      extracted[name] = entry.header.name;
    }
  })();
  await Promise.all([reading, writing]);
  return extracted;
}
