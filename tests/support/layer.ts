import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "../../common/quote";

/**
 * A program that starts sshd on a root file system of its own: this computer's under a layer in memory. Mounts live in
 * a namespace, so that nothing of them is left when sshd has ended; what `prepare` starts ends with it too.
 * @param folder sshd's
 * @param prepare shell lines for what is different there: the file system is `root` in the current folder
 */
export async function inLayer(folder: string, prepare: string): Promise<string> {
  const script = `set -eu
mkdir -p ${quote(folder)}/layer
cd ${quote(folder)}/layer
mount -t tmpfs layer .
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
for folder in /proc /sys /dev ${quote(folder)}; do mount --rbind "$folder" "root$folder"; done
mount -t tmpfs run root/run
mkdir -p root/run/sshd
${prepare}
exec chroot root /usr/sbin/sshd "$@"
`;
  const path = join(folder, "in-layer");
  await writeFile(
    path,
    `#!/bin/sh\nexec unshare --mount --propagation private sh -c ${quote(script)} in-layer "$@"\n`,
    { mode: 0o755 },
  );
  return path;
}
