import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { cacheRoot } from "./cache-root";

/** Prefix of files in the user's cache, whose folder each computer has at another path. */
const CACHE = "$KUBEWRIGHT_CACHE/";
/** `artifacts/KEY/FILE` at the end of a path: a file in the cache of this or of another computer. */
const CACHED_FILE = /^\/.*\/(artifacts\/[^/]+\/[^/]+)$/;

/** The folders of this computer that portable paths leave out. */
export interface Folders {
  /** Folder of the Pulumi project. */
  project: string;
  home: string;
  cache: string;
}

/** The folders of this computer and of the project in or below which this process runs. */
export function currentFolders(): Folders {
  return { project: projectAt(process.cwd()), home: homedir(), cache: cacheRoot() };
}

/** Pulumi runs programs and providers in the folder of `main`, which may be below that of Pulumi.yaml. */
function projectAt(start: string): string {
  if (process.env.KUBEWRIGHT_PROJECT) return process.env.KUBEWRIGHT_PROJECT;
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
  return start;
}

/**
 * Returns a path as a state stores it, so that it means the same file on every computer: relative to the folder of the
 * project, or with `~` for the home folder. Other paths stay as they are.
 */
export function portablePath(path: string, { project, home } = currentFolders()): string {
  if (!isAbsolute(path)) return path;
  if (path.startsWith(`${project}/`)) return path.slice(project.length + 1);
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** Returns the portable path of a file in the cache, also of one that another computer recorded. */
export function portableCachePath(path: string): string {
  return path.replace(CACHED_FILE, `${CACHE.replace("$", "$$$$")}$1`);
}

/** Returns where the file of a portable path is on this computer. */
export function localPath(path: string, { project, home, cache } = currentFolders()): string {
  if (path.startsWith(CACHE)) return join(cache, path.slice(CACHE.length));
  if (path.startsWith("~/")) return join(home, path.slice(2));
  return resolve(project, path);
}

/**
 * Whether a recorded path means the same file as one of the program. States of version 1 have absolute paths, maybe of
 * another computer: these end with the path inside the project or the home folder.
 */
export function isSamePath(recorded: string, path: string, folders = currentFolders()): boolean {
  if (localPath(recorded, folders) === localPath(path, folders)) return true;
  const portable = portablePath(path, folders);
  return isAbsolute(recorded) && !isAbsolute(portable) && recorded.endsWith(`/${portable.replace(/^~\//, "")}`);
}
