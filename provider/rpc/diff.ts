import { isSamePath } from "../../common/portable-path";
import { UNKNOWN, formatPath, isObject, type Path } from "./values";

export type ChangeKind = "add" | "delete" | "update";
export interface Change {
  path: string;
  kind: ChangeKind;
}

/**
 * Returns the paths at which two values differ. An unknown value always differs; two paths of the same key file do not.
 */
export function changesBetween(old: unknown, now: unknown, path: Path = []): Change[] {
  if (isObject(old) && isObject(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return keys.flatMap((key) => changesBetween(old[key], now[key], [...path, key]));
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    const longer = old.length > now.length ? old : now;
    return longer.flatMap((_, index) => changesBetween(old[index], now[index], [...path, String(index)]));
  }
  if (old === now && now !== UNKNOWN) return [];
  if (path.at(-1) === KEY_FILE && isSameFile(old, now)) return [];
  const kind = old === undefined ? "add" : now === undefined ? "delete" : "update";
  return [{ path: formatPath(path), kind }];
}

/** Property of connections, whose absolute paths in states of version 1 may be those of another computer. */
const KEY_FILE = "privateKeyPath";

function isSameFile(old: unknown, now: unknown): boolean {
  return typeof old === "string" && typeof now === "string" && isSamePath(old, now);
}

/** Whether `path` is the property that `prefix` names, or inside of it. */
export function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}
