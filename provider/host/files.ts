import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { optional } from "../../common/optional";
import { commandLine, quote } from "../../common/quote";
import type { TextFiles } from "../../contracts/files";
import type { Remote } from "../ssh/remote";
import { archiveFiles, type OutgoingFile } from "./archive";
import { type Arrival, SUM, receiveScript, removeScript } from "./file-scripts";

export { RECORD, SUM } from "./file-scripts";

/** Mode (octal) and SHA-256 of a file on a machine. */
export interface FileState {
  mode: string;
  sha256: string;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function textFile(path: string, content: string, mode: string): OutgoingFile {
  return { path, mode, sha256: sha256(content), size: Buffer.byteLength(content), body: content };
}

/** Whether two octal modes are the same: `0644` and `644` are. */
export function sameMode(one: string, other: string): boolean {
  return parseInt(one, 8) === parseInt(other, 8);
}

/** Reads mode and hash of the files that exist, in one round trip. */
export async function inspectFiles(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, FileState>> {
  if (paths.length === 0) return new Map();
  const script = `${SUM}
for f in ${commandLine(paths)}; do
  [ -f "$f" ] && printf '%s %s %s\\n' "$(stat -c %a "$f")" "$(sum < "$f" | cut -d' ' -f1)" "$f"
done; true`;
  const { stdout } = await machine.read(script, { step: "checking files", signal });
  const states = stdout.split("\n").flatMap((line): [string, FileState][] => {
    const [, mode = "", hash = "", path = ""] = /^([0-7]{1,4}) ([0-9a-f]{64}) (.*)$/.exec(line) ?? [];
    return paths.includes(path) ? [[path, { mode: mode.padStart(4, "0"), sha256: hash }]] : [];
  });
  return new Map(states);
}

/** Bytes. Configuration files are smaller; of a larger file only the size is read. */
const LARGEST_TEXT = 1 << 20;

/** Reads the text of the files that exist. */
export async function readContents(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  const script = `for f in ${commandLine(paths)}; do
  [ -f "$f" ] || continue
  size=$(stat -c %s "$f")
  [ "$size" -le ${LARGEST_TEXT} ] && printf '%s %s\\n' "$(base64 -w0 < "$f")" "$f" || printf '%s %s\\n' "*$size" "$f"
done; true`;
  const { stdout } = await machine.read(script, { step: "reading files", signal });
  const texts = stdout.split("\n").flatMap((line): [string, string][] => {
    const [, body = "", path = ""] = /^(\S*) (.*)$/.exec(line) ?? [];
    if (!paths.includes(path)) return [];
    return [[path, body.startsWith("*") ? `a file of ${body.slice(1)} bytes` : Buffer.from(body, "base64").toString()]];
  });
  return new Map(texts);
}

export function textFiles(files: TextFiles): OutgoingFile[] {
  return Object.entries(files).map(([path, { content, mode }]) => textFile(path, content, mode));
}

/** Reads text and mode of the files that exist on the machine; undefined if none exists. */
export async function readTextFiles(
  machine: Remote,
  files: TextFiles,
  signal: AbortSignal,
): Promise<TextFiles | undefined> {
  const paths = Object.keys(files);
  const [states, texts] = await Promise.all([
    inspectFiles(machine, paths, signal),
    readContents(machine, paths, signal),
  ]);
  if (states.size === 0 && paths.length > 0) return undefined;
  const existing = [...states].map(([path, { mode }]) => {
    const recordedMode = files[path]?.mode ?? mode;
    return [
      path,
      { content: texts.get(path) ?? "", mode: sameMode(recordedMode, mode) ? recordedMode : mode },
    ] as const;
  });
  return Object.fromEntries(existing);
}

/** How files that differ reach a machine. */
export interface Delivery extends Arrival {
  /** For the error. @default the step of `writeFiles` */
  step?: string;
  stdin?: () => Readable;
  /** Seconds. @default as for `Remote.run` */
  timeout?: number;
  /** The user's next action when it fails. */
  action: string;
}

/** Files in one stream from the computer that runs the provider. */
export function stream(files: readonly OutgoingFile[]): Delivery {
  return {
    script: "tar -C / --no-same-owner -xpf -",
    stdin: () => archiveFiles(files),
    action: "free space on the disk if it is full, and run the command again",
  };
}

export interface WriteOptions {
  /**
   * Keeps files that exist and differ, so that `removeFiles` restores them. For the first write only: later the
   * existing files are Kubewright's own.
   * @default false
   */
  keepsPrevious?: boolean;
  /** Chooses how the files that differ reach the machine. @default in one stream */
  deliver?: (files: readonly OutgoingFile[]) => Delivery | Promise<Delivery>;
}

/**
 * Writes the files that differ. They arrive beside their paths, are verified by hash, and are then moved into place,
 * each atomically.
 * @returns the paths that were written
 */
export async function writeFiles(
  machine: Remote,
  files: readonly OutgoingFile[],
  step: string,
  signal: AbortSignal,
  { keepsPrevious = false, deliver = stream }: WriteOptions = {},
): Promise<string[]> {
  const existing = await inspectFiles(
    machine,
    files.map(({ path }) => path),
    signal,
  );
  const outdated = files.filter((file) => {
    const state = existing.get(file.path);
    return state?.sha256 !== file.sha256 || !sameMode(state.mode, file.mode);
  });
  if (outdated.length === 0) return [];
  const delivery = await deliver(outdated);
  const { stdin, timeout, action } = delivery;
  await machine.run(receiveScript(outdated, delivery, keepsPrevious), {
    step: delivery.step ?? step,
    signal,
    action,
    ...optional({ stdin, timeout }),
  });
  return outdated.map(({ path }) => path);
}

/** Folders that only Kubernetes uses. They are removed when they are empty. */
const OWN_FOLDER = /^\/(etc|opt|var\/lib)\/(systemd\/system\/kubelet|kubernetes|kubewright|cni|containerd)/;

/** Returns the folders that only Kubernetes uses, the deepest first. Their parents, such as /opt, stay. */
function ownFolders(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths)
    for (let folder = posix.dirname(path); OWN_FOLDER.test(folder); folder = posix.dirname(folder)) folders.add(folder);
  return [...folders].sort((one, other) => other.length - one.length);
}

/** Removes files, and restores those that existed before the first write. Missing files are not an error. */
export async function removeFiles(
  machine: Remote,
  paths: readonly string[],
  step: string,
  signal: AbortSignal,
): Promise<void> {
  if (paths.length === 0) return;
  const folders = ownFolders(paths);
  const rmdir = folders.length > 0 ? `\nrmdir ${commandLine(folders)} 2>/dev/null || true` : "";
  await machine.run(`${removeScript(paths)}${rmdir}`, { step, signal });
}

/** Deletes the content of folders, and the folders themselves unless they are mount points. */
export async function emptyFolders(
  machine: Remote,
  folders: readonly string[],
  step: string,
  signal: AbortSignal,
): Promise<void> {
  const script = folders.map(quote).map(
    (folder) => `if [ -d ${folder} ]; then
  find ${folder} -xdev -mindepth 1 -delete
  rmdir ${folder} 2>/dev/null || true
fi`,
  );
  if (script.length > 0) await machine.run(script.join("\n"), { step, signal });
}
