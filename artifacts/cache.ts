import type { LocalFile } from "../common/artifact-set";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cacheRoot } from "../common/cache-root";
import { StepError } from "../common/errors";
import { withLock } from "../common/lock";
import type { Progress } from "../common/progress";
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

export interface Entry {
  dir: string;
  files: Record<string, LocalFile>;
  /** Facts stored with the files: a digest, a package list. */
  notes: Record<string, string>;
}

export interface EntryRequest {
  /** Identifies the entry: `name-version-arch-source[-recipe]`. */
  key: string;
  /** Label for messages, such as "waiting for another run to obtain kubelet 1.36.3". */
  label: string;
  /** Writes the entry's files to the folder (no subfolders) and may return notes. After an error, nothing is kept. */
  fill: (folder: string) => Promise<Record<string, string> | void>;
  progress: Progress;
  signal: AbortSignal;
}

export interface CacheOptions {
  /** Folder. @default cacheRoot() */
  root?: string;
  /**
   * Hash every file, also those with the recorded size and modification time. Takes seconds instead of milliseconds.
   */
  thorough?: boolean;
  /** Milliseconds without renewal after which the lock of a killed run is taken over. @default 15000 */
  stale?: number;
}

/**
 * Files on the controller, by key. An entry is a folder that appears complete, by one rename, and never changes
 * afterwards. Readers therefore need no lock, and a killed run leaves only a temporary folder, which a later run
 * removes.
 */
export class Cache {
  private readonly entries: string;
  private readonly locks: string;

  constructor(private readonly options: CacheOptions = {}) {
    const root = options.root ?? cacheRoot();
    this.entries = join(root, "artifacts");
    this.locks = join(root, "locks");
  }

  /**
   * Returns the entry if it exists and is intact. Files with the recorded size and modification time count as intact;
   * others are hashed. A damaged entry counts as missing.
   */
  async find(key: string): Promise<Entry | undefined> {
    const dir = join(this.entries, key);
    const manifest = await readManifest(dir);
    if (manifest?.key !== key) return undefined;
    const intact = await Promise.all(
      Object.entries(manifest.files).map(([name, file]) =>
        isIntact(join(dir, name), file, this.options.thorough ?? false),
      ),
    );
    return intact.every(Boolean) ? toEntry(dir, manifest) : undefined;
  }

  /** Returns the entry, and creates it first if it is missing or damaged. Concurrent callers create it once. */
  async obtain(request: EntryRequest): Promise<Entry> {
    const { key, label, progress, signal } = request;
    const existing = await this.find(key);
    if (existing) return existing;
    const options = { task: `obtain ${label}`, progress, signal, stale: this.options.stale };
    return await withLock(
      join(this.locks, key),
      options,
      async () => (await this.find(key)) ?? (await this.create(request)),
    );
  }

  private async create({ key, fill, signal }: EntryRequest): Promise<Entry> {
    await mkdir(this.entries, { recursive: true });
    await this.removeLeftovers(key);
    const folder = await mkdtemp(join(this.entries, `${TEMPORARY}${key}-`));
    try {
      const notes = (await fill(folder)) ?? {};
      signal.throwIfAborted();
      const manifest: Manifest = { key, files: await describeFiles(folder), notes };
      await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, undefined, 2));
      return await this.publish(key, folder);
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
        cause: `${dir} was changed by another process while it was written`,
        action: "try again",
      });
    return entry;
  }

  /**
   * Removes temporary folders of killed runs: those of `key`, whose lock is held, and those of other keys once they are
   * a day old.
   */
  private async removeLeftovers(key: string): Promise<void> {
    for (const name of await readdir(this.entries)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const path = join(this.entries, name);
      const own = name.slice(TEMPORARY.length, -7) === key;
      if (own || (await ageOf(path)) > DAY_MS) await rm(path, { recursive: true, force: true });
    }
  }
}

async function ageOf(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return stats ? Date.now() - stats.mtimeMs : 0;
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

/** Returns the notes of the entry in a folder; undefined if there is no entry. */
export async function readNotes(dir: string): Promise<Entry["notes"] | undefined> {
  return (await readManifest(dir))?.notes;
}

async function isIntact(path: string, file: Manifest["files"][string], thorough: boolean): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.size !== file.size) return false;
  if (!thorough && stats.mtimeMs === file.mtimeMs) return true;
  return (await sha256Of(path)) === file.sha256;
}

async function describeFiles(folder: string): Promise<Manifest["files"]> {
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

/** Returns a file of an entry. @throws Error when the entry does not have the file, which is a bug in Kubewright */
export function fileOf(entry: Entry, name: string): LocalFile {
  const file = entry.files[name];
  if (!file) throw new Error(`${entry.dir} has no ${name}`);
  return file;
}
