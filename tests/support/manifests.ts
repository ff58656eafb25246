import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import { agnhost, busybox, pause } from "./test-images";

/** Reads a manifest of the end-to-end tests, with the images that this project builds or pulls. */
export function manifest(file: string): string {
  const text = readFileSync(join(projectRoot(), "tests", "e2e", "manifests", file), "utf8");
  return text.replaceAll("AGNHOST", agnhost()).replaceAll("PAUSE", pause()).replaceAll("BUSYBOX", busybox());
}
