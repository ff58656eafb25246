import type { MemoryFile } from "./memory-machine";

/** Answers the script that moves a manifest into the kubelet's folder if it differs. */
export function placeManifest(files: Map<string, MemoryFile>, script: string): string {
  const [, arrived = "", manifest = ""] = /cmp -s (\S+) (\S+);/.exec(script) ?? [];
  const file = files.get(arrived);
  files.delete(arrived);
  if (!file || files.get(manifest)?.content === file.content) return "";
  files.set(manifest, file);
  return "written\n";
}
