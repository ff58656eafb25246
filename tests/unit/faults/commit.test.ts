import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { currentCommit } from "../../faults/commit";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-commit-"));
  write("source.ts", "tests/faults/results.json", "docs/faults.md");
  for (const command of ["init -q", "add .", "-c user.name=a -c user.email=a@b commit -q -m first"])
    execFileSync("git", command.split(" "), { cwd: root });
});
afterEach(() => rmSync(root, { recursive: true }));

function write(...files: string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), String(Math.random()));
  }
}

test("a commit is marked when sources have changed, and not for the results of the cells before", () => {
  const commit = currentCommit(root);
  expect(commit).toMatch(/^[0-9a-f]{9}$/);
  write("tests/faults/results.json", "docs/faults.md", "new-file.ts");
  expect(currentCommit(root)).toBe(commit);
  write("source.ts");
  expect(currentCommit(root)).toBe(`${commit}-dirty`);
});
