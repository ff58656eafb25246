import { readFile, readdir } from "node:fs/promises";
import { StepError, messageOf } from "../common/errors";
import type { Progress } from "../common/progress";
import { ask, runGroup } from "./process";

/** Something that a build needs on this machine. */
export interface Need {
  /** In a person's words. */
  what: string;
  /** The Debian package that brings it. */
  debian: string;
  present: () => Promise<boolean>;
}

export const GCC: Need = { what: "a C compiler", debian: "gcc", present: () => onPath("gcc") };
export const LIBC: Need = { what: "the C library's static archive", debian: "libc6-dev", present: () => linkable("c") };
export const SECCOMP: Need = {
  what: "libseccomp's static archive",
  debian: "libseccomp-dev",
  present: () => linkable("seccomp"),
};
export const PKG_CONFIG: Need = { what: "pkg-config", debian: "pkg-config", present: () => onPath("pkg-config") };
export const ZSTD: Need = { what: "zstd", debian: "zstd", present: () => onPath("zstd") };

/** Only Debian and its kin have these, and they always do. */
export const APT: Need = {
  what: "apt-get and dpkg-deb",
  debian: "apt dpkg",
  present: async () => (await onPath("apt-get")) && (await onPath("dpkg-deb")),
};

/** How this machine can bring what is missing; tests bring their own. */
export interface Host {
  canInstall: () => Promise<boolean>;
  install: (packages: string[], progress: Progress, signal: AbortSignal) => Promise<void>;
}

/**
 * Makes sure that all needs are met. On Debian and its kin, as root, the missing packages are installed;
 * elsewhere a StepError says what to install.
 */
export async function ensureHost(
  needs: readonly Need[],
  progress: Progress,
  signal: AbortSignal,
  host: Host = thisHost,
): Promise<void> {
  const missing = await missingOf(needs);
  if (missing.length === 0) return;
  const packages = missing.map((need) => need.debian);
  if (!(await host.canInstall())) throw toInstall(missing, "they are not here");
  progress(`installing ${packages.join(", ")} on this machine`);
  await host.install(packages, progress, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw toInstall(missing, messageOf(error));
  });
  const still = await missingOf(missing);
  if (still.length > 0) throw toInstall(still, "they are still not here after the installation");
}

async function missingOf(needs: readonly Need[]): Promise<Need[]> {
  const present = await Promise.all(needs.map((need) => need.present()));
  return needs.filter((_, index) => !present[index]);
}

function toInstall(missing: readonly Need[], cause: string): StepError {
  return new StepError({
    step: `find ${missing.map((need) => need.what).join(", ")} on this machine`,
    cause,
    action: `install ${missing.map((need) => need.debian).join(" ")} (Debian's names), or use the official source or a mirror`,
  });
}

export async function onPath(program: string): Promise<boolean> {
  return (await ask("sh", ["-c", `command -v "$1"`, "sh", program])) !== undefined;
}

/** Asked of the compiler, not of a path: it knows its own folders on every distribution. */
async function linkable(library: string): Promise<boolean> {
  const file = `lib${library}.a`;
  const found = await ask("gcc", [`-print-file-name=${file}`]);
  return found !== undefined && found !== file;
}

const thisHost: Host = { canInstall, install };

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await onPath("apt-get"));
}

async function install(packages: string[], progress: Progress, signal: AbortSignal): Promise<void> {
  await ensureAptLists(progress, signal);
  const words = ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages];
  await runGroup({
    program: "apt-get",
    words,
    step: `install ${packages.join(" ")}`,
    signal,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** A fresh machine image has no package lists: then, and only then, they are fetched. Needs root. */
export async function ensureAptLists(progress: Progress, signal: AbortSignal): Promise<void> {
  if (await haveAptLists()) return;
  progress("fetching Debian's package lists");
  await runGroup({
    program: "apt-get",
    words: ["update", "-qq"],
    step: "fetch Debian's package lists",
    signal,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

async function haveAptLists(): Promise<boolean> {
  const names = await readdir("/var/lib/apt/lists").catch(() => []);
  return names.some((name) => name.includes("_Packages"));
}

/** `debian12`, `ubuntu24.04`: whose packages this machine would fetch. */
export async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return `${value("ID")}${value("VERSION_ID")}` || "unknown";
}
