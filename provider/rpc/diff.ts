import type { z } from "zod";
import { localFilePaths } from "../../contracts/local-file";
import { isSamePath } from "../../common/portable-path";
import { UNKNOWN, formatPath, isObject, type Path } from "./values";

export type ChangeKind = "add" | "delete" | "update";
export interface Change {
  path: string;
  kind: ChangeKind;
}

/**
 * Returns the paths at which two values differ. An unknown value always differs; two paths of the same file do not.
 * @param schema contract of the values, which marks the properties that name files on this computer
 */
export function changesBetween(old: unknown, now: unknown, schema?: z.core.$ZodType): Change[] {
  const files = new Set(schema && localFilePaths(schema, now).map(formatPath));
  return changesAt(old, now, [], files);
}

function changesAt(old: unknown, now: unknown, path: Path, files: ReadonlySet<string>): Change[] {
  if (isObject(old) && isObject(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return keys.flatMap((key) => changesAt(old[key], now[key], [...path, key], files));
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    const longer = old.length > now.length ? old : now;
    return longer.flatMap((_, index) => changesAt(old[index], now[index], [...path, String(index)], files));
  }
  if (old === now && now !== UNKNOWN) return [];
  const formatted = formatPath(path);
  if (files.has(formatted) && isSameFile(old, now)) return [];
  const kind = old === undefined ? "add" : now === undefined ? "delete" : "update";
  return [{ path: formatted, kind }];
}

function isSameFile(old: unknown, now: unknown): boolean {
  return typeof old === "string" && typeof now === "string" && isSamePath(old, now);
}

/** Whether `path` is the property that `prefix` names, or inside of it. */
export function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}
