import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { imageSpecs } from "../../artifacts/images";
import { loadVersions, obtainArtifacts } from "../../artifacts/index";
import { silent } from "../../common/progress";
import { controllerArch } from "../../components/machines/machine";
import type { TestStack } from "./test-stack";
import { newestVersion } from "./versions";

/** Reference of the test server's image, the same in archives and registries. */
export function agnhost(): string {
  return referenceOf("extras", "agnhost");
}

export function busybox(): string {
  return referenceOf("extras", "busybox");
}

export function pause(): string {
  return referenceOf("worker", "pause");
}

function referenceOf(archive: "extras" | "worker", name: string): string {
  const versions = loadVersions();
  const image = imageSpecs(versions, newestVersion(versions))[archive].find(({ ref }) => ref.includes(name));
  if (!image) throw new Error(`the archive ${archive} has no image ${name}`);
  return image.ref;
}

/** Loads the test images into machines from an archive, where nodes cannot pull. */
export async function loadTestImages(stack: TestStack, machines: readonly string[]): Promise<void> {
  const { images } = await obtainArtifacts(
    { source: "auto", kubernetes: newestVersion(loadVersions()), arch: controllerArch(), extras: true },
    silent,
    new AbortController().signal,
  );
  if (images.kind !== "archives" || !images.extras) return;
  const archive = readFileSync(images.extras.path);
  for (const machine of machines) {
    const [container = ""] = await stack.containers(machine);
    execFileSync("docker", ["exec", "-i", container, "ctr", "-n", "k8s.io", "images", "import", "--local", "-"], {
      input: archive,
    });
  }
}
