import { existsSync, readFileSync } from "node:fs";

/** Bit numbers of linux/capability.h. */
const CAPABILITIES = { SYS_RESOURCE: 24 } as const;

export interface OsRelease {
  id: string;
  like: string[];
  codename: string;
}

/** Reads os-release(5) of the controller. Missing values are empty. */
export function readOsRelease(): OsRelease {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { id: value("ID"), like: value("ID_LIKE").split(" ").filter(Boolean), codename: value("VERSION_CODENAME") };
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Returns whether systemd is the init system, by the test of sd_booted(3). */
export function isSystemdInit(): boolean {
  return existsSync("/run/systemd/system");
}

/** Returns whether child processes may have this capability (the bounding set of capabilities(7)). */
export function hasCapability(name: keyof typeof CAPABILITIES): boolean {
  if (!existsSync("/proc/self/status")) return false;
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${bounding}`) >> BigInt(CAPABILITIES[name])) & 1n) === 1n;
}
