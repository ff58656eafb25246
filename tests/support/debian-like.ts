import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../common/process";
import { inLayer } from "./layer";
import { startSshd, type Sshd } from "./sshd";

export interface TinyPackage {
  name: string;
  /** Shell lines that run when the package is installed. */
  postinst?: string;
}

const SOURCES = `rm -rf root/etc/apt/sources.list root/etc/apt/sources.list.d root/var/lib/apt/lists
mkdir -p root/etc/apt/sources.list.d root/var/lib/apt/lists/partial
printf 'APT::Sandbox::User "root";\\n' > root/etc/apt/apt.conf.d/99test # only root may read our folder
printf 'deb [trusted=yes] file:@REPOSITORY@ ./\\n' > root/etc/apt/sources.list`;

/** Path in the machine's folder of files that the test also sees. */
export function archiveOf({ folder }: Pick<Sshd, "folder">, name: string): string {
  return join(folder, "repository", `${name}.deb`);
}

/**
 * A Debian machine with the real dpkg and apt: this computer's root file system under a layer in memory, which is
 * removed together with its sshd. Its only repository is a folder of empty packages.
 */
export async function startDebianLike(packages: readonly TinyPackage[]): Promise<Sshd> {
  return await startSshd({
    name: "debian",
    within: async (folder) => {
      const repository = join(folder, "repository");
      await mkdir(repository);
      const entries = [];
      for (const one of packages) entries.push(await build(one, folder));
      await writeFile(join(repository, "Packages"), entries.join("\n"));
      return await inLayer(folder, SOURCES.replace("@REPOSITORY@", repository));
    },
  });
}

/** @returns the package's entry in the repository's index (deb822(5)). */
async function build({ name, postinst = "" }: TinyPackage, folder: string): Promise<string> {
  const source = join(folder, "sources", name, "DEBIAN");
  await mkdir(source, { recursive: true });
  const fields = ["Version: 1", "Architecture: all", "Maintainer: a test <test@localhost>", "Description: nothing"];
  const control = `Package: ${name}\n${fields.join("\n")}\n`;
  await writeFile(join(source, "control"), control);
  await writeFile(join(source, "postinst"), `#!/bin/sh\nset -e\n${postinst}\n`);
  await chmod(join(source, "postinst"), 0o755);
  const archive = archiveOf({ folder }, name);
  await run("dpkg-deb", ["--build", "--root-owner-group", join(source, ".."), archive]);
  const bytes = await readFile(archive);
  const digest = createHash("sha256").update(bytes).digest("hex");
  return `${control}Filename: ./${name}.deb\nSize: ${bytes.length}\nSHA256: ${digest}\n`;
}
