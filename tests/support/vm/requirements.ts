import { spawnSync } from "node:child_process";
import { readOsRelease } from "../../../provider/docker/host";

/** Programs that build and run a virtual machine, by the package that has them. */
const PROGRAMS = {
  "qemu-system-x86": ["qemu-system-x86_64"],
  "qemu-utils": ["qemu-img"],
  mmdebstrap: ["mmdebstrap"],
  "openssh-client": ["ssh", "ssh-keygen"],
} as const;

/** Returns why no virtual machine can be run here, and what to do; undefined if one can. */
export function missingForVm(): string | undefined {
  if (process.arch !== "x64") return "the virtual machine's image is for amd64";
  if (readOsRelease().id !== "debian")
    return "the virtual machine is built from the package sources of a Debian system";
  if (process.getuid?.() !== 0) return "the virtual machine's image can only be built by root";
  const packages = Object.entries(PROGRAMS).flatMap(([name, programs]) => (programs.every(isInstalled) ? [] : [name]));
  if (packages.length === 0) return undefined;
  return `QEMU or a tool that builds its image is not installed: apt-get install ${packages.join(" ")}`;
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}
