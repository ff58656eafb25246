import { diffLines } from "diff";
import type { TextFiles } from "../../contracts/files";

/** Changed lines of one file that are shown. */
const MAX_LINES = 10;
/** Only files that every user may read are quoted, because others may contain secrets. */
const READABLE_BY_ALL = 0o004;

/** Describes what differs between two sets of files: each changed path, and the changed lines as in a diff. */
export function describeChangedFiles(before: TextFiles, after: TextFiles): string {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths
    .filter((path) => before[path]?.content !== after[path]?.content || before[path]?.mode !== after[path]?.mode)
    .map((path) => [path, ...changedLines(before[path], after[path])].join("\n"))
    .join("\n");
}

function changedLines(before: TextFiles[string] | undefined, after: TextFiles[string] | undefined): string[] {
  const mode = parseInt((after ?? before)?.mode ?? "0", 8);
  if ((mode & READABLE_BY_ALL) === 0) return [];
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
