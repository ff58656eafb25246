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
import { downloadText, downloadTo, publishedSum } from "./download";
import { recipeHash } from "./hash";
import type { Source } from "./source";
import { componentsFor, fill, type Arch, type Download, type Versions } from "./versions";

/** Downloads at a time: enough to fill a line, few enough to be polite. */
const AT_ONCE = 3;

export type Remote = Extract<Source, { kind: "official" | "mirror" }>;

/** One download of versions.yaml with its version and architecture put in. */
export interface Fetch {
  name: string;
  version: string;
  arch: Arch;
  url: string;
  checksum: string;
  pinned?: string;
  /** Binary's name -> path in the tar.gz; absent when the download is the binary itself. */
  members?: Record<string, string>;
}

/** Every download that a cluster of this version needs. */
export function plannedFetches(
  versions: Versions,
  kubernetes: string,
  arch: Arch,
  runtime: Runtime = DEFAULT_RUNTIME,
): Fetch[] {
  return componentsFor(versions, runtime).flatMap(([name, component]) => {
    const version = name === "kubernetes" ? kubernetes : component.version;
    return component.downloads.map((download) => toFetch(download, version, arch));
  });
}

function toFetch(download: Download, version: string, arch: Arch): Fetch {
  const put = (template: string): string => fill(template, { version, arch });
  const members =
    download.members && Object.fromEntries(Object.entries(download.members).map(([name, path]) => [name, put(path)]));
  const pinned = download.pinned[`${version}-${arch}`];
  return {
    name: download.name,
    version,
    arch,
    url: put(download.url),
    checksum: put(download.checksum),
    pinned,
    members,
  };
}

/** Where the source keeps what the official host has at `url`: a mirror is laid out as <mirror>/<official host>/<path>. */
export function addressAt(source: Remote, url: string): string {
  if (source.kind === "official") return url;
  const { host, pathname } = new URL(url);
  return `${source.url}/${host}${pathname}`;
}

export function fetchKey(fetch: Fetch, source: Remote): string {
  const recipe = recipeHash([fetch.url, fetch.members, fetch.pinned, source.kind === "mirror" ? source.url : ""]);
  return [fetch.name, fetch.version, fetch.arch, source.kind, recipe].join("-");
}

/** Brings all downloads into the cache, a few at a time. The first failure stops the others. */
export async function fetchAll(
  cache: Cache,
  fetches: Fetch[],
  source: Remote,
  progress: Progress,
  signal: AbortSignal,
): Promise<Entry[]> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const places = new Semaphore(AT_ONCE);
  const say = (fetch: Fetch): void =>
    progress(`downloading (${fetches.indexOf(fetch) + 1}/${fetches.length}) ${fetch.name} ${fetch.version}`);
  const outcomes = await Promise.allSettled(
    fetches.map((fetch) =>
      places
        .use(() => fetchOne(cache, fetch, source, { progress, signal: both, say: () => say(fetch) }))
        .catch((error: unknown) => {
          failed.abort(error);
          throw error;
        }),
    ),
  );
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
}

interface Run {
  progress: Progress;
  signal: AbortSignal;
  say: () => void;
}

async function fetchOne(cache: Cache, fetch: Fetch, source: Remote, run: Run): Promise<Entry> {
  return cache.obtain({
    key: fetchKey(fetch, source),
    what: `${fetch.name} ${fetch.version}`,
    progress: run.progress,
    signal: run.signal,
    fill: async (folder) => {
      run.say();
      const path = await fetchVerified(fetch, source, folder, run.signal);
      await unpack(fetch, path, folder, run.signal);
    },
  });
}

async function fetchVerified(fetch: Fetch, source: Remote, folder: string, signal: AbortSignal): Promise<string> {
  const action =
    source.kind === "official"
      ? "check the network, or name a mirror as the source"
      : `see that the mirror is up and has it at ${source.url}`;
  const path = join(folder, "download");
  const published = publishedFor(fetch, await downloadText(addressAt(source, fetch.checksum), { signal, action }));
  const got = await downloadTo(addressAt(source, fetch.url), path, { signal, action });
  for (const expected of [published, fetch.pinned]) {
    if (expected && expected !== got)
      throw mismatch(addressAt(source, fetch.url), expected, got, expected === published);
  }
  return path;
}

function publishedFor(fetch: Fetch, text: string): string {
  const found = publishedSum(text, basename(fetch.url));
  if (found) return found;
  throw new StepError({
    step: `verify ${fetch.url}`,
    cause: `${fetch.checksum} has no sha256 for it`,
    action: "see what the source serves there",
  });
}

function mismatch(url: string, expected: string, got: string, published: boolean): StepError {
  const whose = published ? "the published checksum" : "versions.yaml";
  return new StepError({
    step: `verify ${url}`,
    cause: `its sha256 is ${got}, ${whose} says ${expected}`,
    action: "do not use it; try again, and if it stays so, tell whoever runs the source",
  });
}

async function unpack(fetch: Fetch, path: string, folder: string, signal: AbortSignal): Promise<void> {
  if (!fetch.members) {
    await rename(path, join(folder, fetch.name));
    await chmod(join(folder, fetch.name), 0o755);
    return;
  }
  const missing = await extractMembers(path, fetch.members, folder, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new StepError({ step: `unpack ${fetch.url}`, cause: messageOf(error), action: "try again" });
  });
  await rm(path);
  if (missing.length === 0) return;
  throw new StepError({
    step: `unpack ${fetch.url}`,
    cause: `it has no ${missing.join(", ")}`,
    action: "correct members in versions.yaml",
  });
}

/** Returns the members that were not found. */
async function extractMembers(
  archive: string,
  members: Record<string, string>,
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = new Map(Object.entries(members).map(([name, path]) => [path, name]));
  const entries = extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), entries, { signal });
  const writing = (async () => {
    for await (const entry of entries) {
      const name = wanted.get(entry.header.name.replace(/^\.\//, ""));
      if (name === undefined) {
        entry.resume();
        continue;
      }
      await pipeline(entry, createWriteStream(join(folder, name), { mode: 0o755 }));
      wanted.delete(entry.header.name.replace(/^\.\//, ""));
    }
  })();
  await Promise.all([reading, writing]);
  return [...wanted.values()];
}
