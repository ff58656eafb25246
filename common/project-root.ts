import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Returns the folder of Kubewright's package.json. Searches upwards from this file: in the sources, in dist/, or in
 * node_modules.
 */
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
