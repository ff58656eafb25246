import { readFile, readdir } from "node:fs/promises";
import { StepError, messageOf } from "../common/errors";
import type { Progress } from "../common/progress";
import { readOutput, runCommand } from "../common/process";

/** A tool or library that a build needs on the controller. */
export interface BuildTool {
  /** Its name in messages. */
  what: string;
  /** The Debian package that contains it. */
  debian: string;
  isPresent: () => Promise<boolean>;
}

export const GCC: BuildTool = { what: "a C compiler", debian: "gcc", isPresent: () => isOnPath("gcc") };
export const LIBC: BuildTool = {
  what: "the static C library",
  debian: "libc6-dev",
  isPresent: () => hasStaticLibrary("c"),
};
export const SECCOMP: BuildTool = {
  what: "the static libseccomp",
  debian: "libseccomp-dev",
  isPresent: () => hasStaticLibrary("seccomp"),
};
export const PKG_CONFIG: BuildTool = {
  what: "pkg-config",
  debian: "pkg-config",
  isPresent: () => isOnPath("pkg-config"),
};
export const ZSTD: BuildTool = { what: "zstd", debian: "zstd", isPresent: () => isOnPath("zstd") };

/** A file that every Debian system has, and no other system. */
export const APT: BuildTool = {
  what: "apt-get and dpkg-deb",
  debian: "apt dpkg",
  isPresent: async () => (await isOnPath("apt-get")) && (await isOnPath("dpkg-deb")),
};

/** Installs packages on the controller. */
export interface Installer {
  canInstall: () => Promise<boolean>;
  install: (packages: string[], progress: Progress, signal: AbortSignal) => Promise<void>;
}

/**
 * Installs the tools that are missing, which needs Debian or a derivative, and root.
 * @throws StepError with the packages to install when it cannot
 */
export async function ensureBuildTools(
  tools: readonly BuildTool[],
  progress: Progress,
  signal: AbortSignal,
  installer: Installer = aptInstaller,
): Promise<void> {
  const missing = await findMissing(tools);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.debian);
  if (!(await installer.canInstall())) throw missingError(missing, "not installed");
  progress(`installing ${packages.join(", ")} on this computer`);
  await installer.install(packages, progress, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw missingError(missing, messageOf(error));
  });
  const stillMissing = await findMissing(missing);
  if (stillMissing.length > 0) throw missingError(stillMissing, "still missing after the installation");
}

async function findMissing(tools: readonly BuildTool[]): Promise<BuildTool[]> {
  const present = await Promise.all(tools.map((tool) => tool.isPresent()));
  return tools.filter((_, index) => !present[index]);
}

function missingError(missing: readonly BuildTool[], cause: string): StepError {
  const packages = missing.map((tool) => tool.debian).join(" ");
  return new StepError({
    step: `find ${missing.map((tool) => tool.what).join(", ")} on this computer`,
    cause,
    action: `install ${packages} (Debian package names), or set \`source\` to \`official\` or to the URL of a mirror`,
  });
}

export async function isOnPath(program: string): Promise<boolean> {
  return (await readOutput("sh", ["-c", `command -v "$1"`, "sh", program])) !== undefined;
}

/** Runs the compiler to find a library, because the compiler knows the library folders of its distribution. */
async function hasStaticLibrary(library: string): Promise<boolean> {
  const file = `lib${library}.a`;
  const path = await readOutput("gcc", [`-print-file-name=${file}`]);
  return path !== undefined && path !== file;
}

const aptInstaller: Installer = { canInstall, install };

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isOnPath("apt-get"));
}

async function install(packages: string[], progress: Progress, signal: AbortSignal): Promise<void> {
  await ensureAptLists(progress, signal);
  const options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
  await runAptGet(["install", ...options, ...packages], `install ${packages.join(" ")}`, signal);
}

/** Downloads the package lists where there are none, as in a fresh machine image. Needs root. */
export async function ensureAptLists(progress: Progress, signal: AbortSignal): Promise<void> {
  if (await hasAptLists()) return;
  progress("downloading Debian's package lists");
  await runAptGet(["update", "-qq"], "download Debian's package lists", signal);
}

async function runAptGet(args: readonly string[], step: string, signal: AbortSignal): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await runCommand("apt-get", args, { step, signal, env, stopGroupWith: "SIGTERM" });
}

async function hasAptLists(): Promise<boolean> {
  const names = await readdir("/var/lib/apt/lists").catch(() => []);
  return names.some((name) => name.includes("_Packages"));
}

/** Returns the distribution whose packages the controller downloads: `debian12`, `ubuntu24.04`. */
export async function readDistribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return `${value("ID")}${value("VERSION_ID")}` || "unknown";
}
