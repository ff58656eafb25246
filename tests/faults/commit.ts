import { execFileSync } from "node:child_process";
import { projectRoot } from "../../common/project-root";

/** Files that the command itself changes after each cell. */
const WRITTEN = ["tests/faults/results.json", "docs/faults.md"];

/** Returns the commit of the sources, marked when other files that Git tracks have changed. */
export function currentCommit(root = projectRoot()): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const others = WRITTEN.map((file) => `:(exclude)${file}`);
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ...others);
  return `${git("rev-parse", "--short=9", "HEAD")}${changed === "" ? "" : "-dirty"}`;
}
