import { existsSync } from "node:fs";
import { lock } from "proper-lockfile";
import { tmpdir } from "node:os";
import { messageOf } from "../../common/errors";
import { run } from "../../common/process";

/** Something that a test requires of this computer. */
export interface Requirement {
  met: boolean;
  /** Why the tests that require it are skipped. */
  reason: string;
}

/**
 * Looks for it, and installs it from these packages on Debian as root. With CI set, a requirement that could be
 * installed must not be missing.
 */
export async function requirement(
  name: string,
  present: () => boolean,
  packages: readonly string[],
): Promise<Requirement> {
  if (present()) return { met: true, reason: "" };
  if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0) {
    return { met: false, reason: `${name} is not installed (on Debian: apt-get install ${packages.join(" ")})` };
  }
  try {
    await aptInstall(packages);
  } catch (error) {
    return { met: false, reason: `${name} could not be installed: ${messageOf(error)}` };
  }
  return present()
    ? { met: true, reason: "" }
    : { met: false, reason: `${name} is missing although ${packages.join(" ")} is installed` };
}

/** One installation at a time: vitest has several workers, and dpkg does not wait for its lock. */
async function aptInstall(packages: readonly string[]): Promise<void> {
  const release = await lock(tmpdir(), {
    lockfilePath: `${tmpdir()}/kubewright-apt.lock`,
    retries: { retries: 300, minTimeout: 1_000, factor: 1 },
  });
  try {
    // RUNLEVEL=1: Debian then starts no service. The tests start what they need.
    const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    await run("apt-get", ["update", "-qq"], { env });
    await run(
      "apt-get",
      ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...packages],
      { env },
    );
  } finally {
    await release();
  }
}
