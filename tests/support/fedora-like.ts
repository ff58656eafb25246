import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../common/process";
import { inLayer } from "./layer";
import { requirement, type Requirement } from "./requirement";
import { startSshd, type Sshd } from "./sshd";

export interface TinyPackage {
  name: string;
  /** Further names that the package provides. */
  provides?: readonly string[];
}

const PROGRAMS = ["dnf", "rpmbuild", "createrepo_c", "unshare"].map((name) => `/usr/bin/${name}`);

const FEDORA = `rm -f root/etc/os-release
printf 'ID=fedora\\nVERSION_ID=42\\n' > root/etc/os-release
printf '[main]\\ngpgcheck=False\\n' > root/etc/dnf/dnf.conf
mkdir -p root/etc/yum.repos.d
printf '[tiny]\\nname=tiny\\nbaseurl=@REPOSITORY@\\n' > root/etc/yum.repos.d/tiny.repo`;

/** dnf and rpm are Debian packages too. Mounting requires root. */
export async function dnfAvailable(): Promise<Requirement> {
  if (process.getuid?.() !== 0) return { met: false, reason: "a root file system for a test requires root" };
  return await requirement("dnf", () => PROGRAMS.every(existsSync), ["dnf", "rpm", "createrepo-c", "util-linux"]);
}

/**
 * A machine that claims to be Fedora, with the real dnf and rpm: this computer's root file system under a layer in
 * memory, which is removed together with its sshd. Its only repository is a folder of empty packages.
 */
export async function startFedoraLike(packages: readonly TinyPackage[]): Promise<Sshd> {
  return await startSshd({
    name: "fedora",
    within: async (folder) => {
      const repository = join(folder, "repository");
      await mkdir(repository);
      for (const one of packages) await build(one, folder, repository);
      await run("createrepo_c", ["--quiet", repository]);
      return await inLayer(folder, FEDORA.replace("@REPOSITORY@", `file://${repository}`));
    },
  });
}

async function build({ name, provides = [] }: TinyPackage, folder: string, into: string): Promise<void> {
  const spec = [
    `Name: ${name}`,
    "Version: 1",
    "Release: 1",
    "Summary: For a test",
    "License: none",
    "BuildArch: noarch",
    ...provides.map((other) => `Provides: ${other}`),
    "%description",
    "Nothing.",
    "%files",
    "",
  ];
  const file = join(folder, `${name}.spec`);
  await writeFile(file, spec.join("\n"));
  await run("rpmbuild", [
    "-bb",
    "--quiet",
    "--define",
    `_topdir ${folder}/rpmbuild`,
    "--define",
    `_rpmdir ${into}`,
    file,
  ]);
}
