import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { template } from "../../render/template";
import type { Progress } from "../../common/progress";
import { run } from "../docker/command";
import { imageId, imageLabels } from "../docker/image";
import { withLock } from "../../common/user-lock";
import type { DockerTraits } from "../docker/probe";

/** What Vagrant's docker provider has for a box: our machine image, with the user that Vagrant expects. @returns its reference */
export async function ensureDockerBox(
  image: string,
  docker: DockerTraits,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const files = {
    Dockerfile: template("vagrant/Dockerfile"),
    "insecure.pub": template("vagrant/insecure.pub"),
    "resolv.conf": (await docker.traits(image, signal)).resolvConf,
  };
  const hash = createHash("sha256")
    .update(JSON.stringify([image, files]))
    .digest("hex")
    .slice(0, 12);
  const ref = `kubewright/box:${hash}`;
  const waits = () => progress("another run is building the box");
  await withLock("docker-box", signal, waits, async () => {
    if (await imageId(ref, signal)) return;
    progress(`building a box from ${image}`);
    await build(ref, image, files, signal);
  });
  return ref;
}

async function build(ref: string, base: string, files: Record<string, string>, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kubewright-box-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const labels = Object.entries(imageLabels(ref)).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    await run(
      "docker",
      ["build", "--network", "none", "--build-arg", `BASE=${base}`, ...labels, "--tag", ref, folder],
      { step: "building the box", signal },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
