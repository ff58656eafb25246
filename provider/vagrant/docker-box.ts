import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { template } from "../../render/template";
import type { Progress } from "../../common/progress";
import { userLock, withLock } from "../../common/lock";
import { runCommand } from "../../common/process";
import { findImageId, imageLabels } from "../docker/image";
import type { DockerTraits } from "../docker/probe";

/**
 * Builds the box of Vagrant's docker provider, which is the machine image with the user that Vagrant expects. Returns
 * its reference.
 */
export async function ensureDockerBox(
  image: string,
  docker: DockerTraits,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const files = {
    Dockerfile: template("vagrant/Dockerfile"),
    "insecure.pub": template("vagrant/insecure.pub"),
    "resolv.conf": (await docker.read(image, signal)).resolvConf,
  };
  const hash = createHash("sha256")
    .update(JSON.stringify([image, files]))
    .digest("hex")
    .slice(0, 12);
  const ref = `kubewright/box:${hash}`;
  await withLock(userLock("docker-box"), { task: "build the box", progress, signal }, async () => {
    if (await findImageId(ref, signal)) return;
    progress(`building a box from ${image}`);
    await buildBox(ref, image, files, signal);
  });
  return ref;
}

async function buildBox(ref: string, base: string, files: Record<string, string>, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kubewright-box-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const labels = Object.entries(imageLabels(ref)).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    const args = ["build", "--network", "none", "--build-arg", `BASE=${base}`, ...labels, "--tag", ref, folder];
    await runCommand("docker", args, { step: "build the box", signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
