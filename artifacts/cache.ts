import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { StepError } from "../common/errors";
import type { Progress } from "../common/progress";
import { whileLocked } from "../common/lock";
import { sha256Of } from "./hash";

const MANIFEST = "manifest.json";
const TEMPORARY = ".tmp-";
const DAY_MS = 86_400_000;

const manifestSchema = z.strictObject({
  key: z.string(),
  files: z.record(z.string(), z.strictObject({ sha256: z.string(), size: z.number(), mtimeMs: z.number() })),
  notes: z.record(z.string(), z.string()),
});
type Manifest = z.infer<typeof manifestSchema>;

/** A file on the controller. Size in bytes, sha256 in hexadecimal. */
export interface LocalFile {
  path: string;
  sha256: string;
  size: number;
}

export interface Entry {
  dir: string;
  files: Record<string, LocalFile>;
  /** What the maker wants remembered: a digest, a package list. */
  notes: Record<string, string>;
}

export interface Making {
  /** Names the entry: name-version-arch-source[-recipe]. */
  key: string;
  /** In a person's words, for "waiting for another run that builds ...". */
  what: string;
  /** Fills the folder with files (no sub-folders). May return notes. An error leaves nothing behind. */
  fill: (folder: string) => Promise<Record<string, string> | void>;
  progress: Progress;
  signal: AbortSignal;
}

/** `KUBEWRIGHT_CACHE`, else `$XDG_CACHE_HOME/kubewright`, else `~/.cache/kubewright`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KUBEWRIGHT_CACHE) return env.KUBEWRIGHT_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "kubewright");
}

export interface CacheOptions {
  /** Folder; default `cacheRoot()`. */
  root?: string;
  /** Hash every file instead of believing those whose size and time are as recorded; seconds instead of milliseconds. */
  thorough?: boolean;
  /** Milliseconds after which another run's lock that is not renewed is taken over; default 10 s. */
  stale?: number;
}

/**
 * Content by key. An entry is a folder that appears whole, by one rename, and never changes after;
 * so a reader needs no lock, and a run that was killed leaves only a temporary folder, swept by a later one.
 */
export class Cache {
  private readonly entries: string;
  private readonly locks: string;

  constructor(private readonly options: CacheOptions = {}) {
    const root = options.root ?? cacheRoot();
    this.entries = join(root, "artifacts");
    this.locks = join(root, "locks");
  }

  /** The entry, if it is there and whole: a file whose size and time are those recorded is believed, any other is hashed. Damage counts as absence. */
  async find(key: string): Promise<Entry | undefined> {
    const dir = join(this.entries, key);
    const manifest = await readManifest(dir);
    if (manifest?.key !== key) return undefined;
    const sound = await Promise.all(
      Object.entries(manifest.files).map(([name, file]) =>
        isSound(join(dir, name), file, this.options.thorough ?? false),
      ),
    );
    return sound.every(Boolean) ? toEntry(dir, manifest) : undefined;
  }

  /** The entry, made first when it is not there or is damaged. Two callers make it once. */
  async obtain(making: Making): Promise<Entry> {
    return (
      (await this.find(making.key)) ??
      this.exclusively(making, async () => (await this.find(making.key)) ?? this.make(making))
    );
  }

  private exclusively(making: Making, work: () => Promise<Entry>): Promise<Entry> {
    return whileLocked(join(this.locks, making.key), work, {
      signal: making.signal,
      stale: this.options.stale,
      onWait: () => making.progress(`waiting for another run that builds ${making.what}`),
      onTimeout: () =>
        new StepError({
          step: `obtain ${making.what}`,
          cause: "another run has been at it for an hour",
          action: "stop that run, or try later",
        }),
    });
  }

  private async make(making: Making): Promise<Entry> {
    await mkdir(this.entries, { recursive: true });
    await this.sweep(making.key);
    const folder = await mkdtemp(join(this.entries, `${TEMPORARY}${making.key}-`));
    try {
      const notes = (await making.fill(folder)) ?? {};
      making.signal.throwIfAborted();
      const manifest: Manifest = { key: making.key, files: await describe(folder), notes };
      await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, undefined, 2));
      return await this.publish(making.key, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private async publish(key: string, folder: string): Promise<Entry> {
    const dir = join(this.entries, key);
    await rm(dir, { recursive: true, force: true });
    await rename(folder, dir);
    const entry = await this.find(key);
    if (!entry)
      throw new StepError({
        step: `store ${key} in the cache`,
        cause: `${dir} changed while it was written`,
        action: "try again",
      });
    return entry;
  }

  /** Whoever holds the key's lock may remove its leftovers at once; those of other keys once they are a day old. */
  private async sweep(key: string): Promise<void> {
    for (const name of await readdir(this.entries)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const path = join(this.entries, name);
      const own = name.slice(TEMPORARY.length, -7) === key;
      if (own || (await ageOf(path)) > DAY_MS) await rm(path, { recursive: true, force: true });
    }
  }
}

async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  const text = await readFile(join(dir, MANIFEST), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function isSound(path: string, file: Manifest["files"][string], thorough: boolean): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== file.size) return false;
  if (!thorough && found.mtimeMs === file.mtimeMs) return true;
  return (await sha256Of(path)) === file.sha256;
}

async function describe(folder: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = {};
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    files[name] = { sha256: await sha256Of(path), size, mtimeMs };
  }
  return files;
}

function toEntry(dir: string, manifest: Manifest): Entry {
  const files: Entry["files"] = {};
  for (const [name, { sha256, size }] of Object.entries(manifest.files))
    files[name] = { path: join(dir, name), sha256, size };
  return { dir, files, notes: manifest.notes };
}

/** The file of an entry; it is our own mistake when it has none of that name. */
export function fileOf(entry: Entry, name: string): LocalFile {
  const file = entry.files[name];
  if (!file) throw new Error(`${entry.dir} has no ${name}`);
  return file;
}
