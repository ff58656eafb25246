import { diffLines } from "diff";
import type { TextFiles } from "../../contracts/files";
import { isKubeletSettings } from "../../render/kubelet";

/** Changed lines of one file that are shown. */
const MAX_LINES = 10;
const READABLE_BY_ALL = 0o004;

/** Describes what differs between two sets of files: each changed path, and the changed lines as in a diff. */
export function describeChangedFiles(before: TextFiles, after: TextFiles): string {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths
    .filter((path) => before[path]?.content !== after[path]?.content || before[path]?.mode !== after[path]?.mode)
    .map((path) => [path, ...(isQuoted(path, before, after) ? changedLines(before[path], after[path]) : [])].join("\n"))
    .join("\n");
}

/** Files that only root may read may contain secrets, except the kubelet's settings. */
function isQuoted(path: string, before: TextFiles, after: TextFiles): boolean {
  const mode = parseInt((after[path] ?? before[path])?.mode ?? "0", 8);
  return (mode & READABLE_BY_ALL) !== 0 || isKubeletSettings(path);
}

function changedLines(before: TextFiles[string] | undefined, after: TextFiles[string] | undefined): string[] {
  const lines = diffLines(before?.content ?? "", after?.content ?? "").flatMap(({ added, removed, value }) =>
    added || removed
      ? value
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => `${added ? "+" : "-"} ${line}`)
      : [],
  );
  const hidden = lines.length - MAX_LINES;
  return hidden > 0 ? [...lines.slice(0, MAX_LINES), `... and ${hidden} more lines`] : lines;
}
