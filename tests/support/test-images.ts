import { imageSpecs } from "../../artifacts/images";
import { loadVersions } from "../../artifacts/index";
import { newestVersion } from "./versions";

/** The test server's image, as the archives and the registries name it. */
export function agnhost(): string {
  return named("extras", "agnhost");
}

export function busybox(): string {
  return named("extras", "busybox");
}

export function pause(): string {
  return named("worker", "pause");
}

function named(archive: "extras" | "worker", word: string): string {
  const versions = loadVersions();
  const found = imageSpecs(versions, newestVersion(versions))[archive].find(({ ref }) => ref.includes(word));
  if (!found) throw new Error(`the archive ${archive} has no ${word}`);
  return found.ref;
}
