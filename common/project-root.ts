import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder whose package.json is Kubewright's own; found from this file, so it holds from sources, from dist/ and as a dependency. */
export function projectRoot(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && nameIn(manifest) === "kubewright") return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json named "kubewright" above ${__dirname}`);
  }
}

function nameIn(manifest: string): unknown {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown }).name;
}
