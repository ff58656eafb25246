import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";

/** What each file or folder imports from. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const IMPORT = /\b(?:from|import\()\s*"(\.{1,2}\/[^"]+)"/g;

/** The source files that a file imports from, types included. */
function importedFiles(file: string, files: ReadonlySet<string>): string[] {
  return [...readFileSync(join(projectRoot(), file), "utf8").matchAll(IMPORT)].flatMap(([, path = ""]) => {
    const target = normalize(join(dirname(file), path));
    return [target, `${target}.ts`, `${target}/index.ts`].find((candidate) => files.has(candidate)) ?? [];
  });
}

function fileGraph(): Graph {
  const listed = execFileSync("git", ["ls-files", "*.ts"], { cwd: projectRoot(), encoding: "utf8" }).split("\n");
  const files = new Set(listed.filter((file) => file.includes("/") && !/^(?:tests|examples|tools)\//.test(file)));
  return new Map([...files].map((file) => [file, new Set(importedFiles(file, files))]));
}

function folderGraph(files: Graph): Graph {
  const folders = new Map<string, Set<string>>();
  for (const [file, targets] of files) {
    const folder = dirname(file);
    const others = [...targets].map((target) => dirname(target)).filter((target) => target !== folder);
    folders.set(folder, new Set([...(folders.get(folder) ?? []), ...others]));
  }
  return folders;
}

/** Removes what imports from nothing that remains, until nothing changes: the rest is in a cycle or leads to one. */
function membersOfCycles(graph: Graph): string[] {
  const remaining = new Set(graph.keys());
  const isFree = (member: string) => [...(graph.get(member) ?? [])].every((target) => !remaining.has(target));
  for (let free = [...remaining].filter(isFree); free.length > 0; free = [...remaining].filter(isFree))
    for (const member of free) remaining.delete(member);
  return [...remaining].sort();
}

test("finds a cycle", () => {
  const graph = new Map([
    ["a", new Set(["b"])],
    ["b", new Set(["c"])],
    ["c", new Set(["b"])],
    ["d", new Set<string>()],
  ]);
  expect(membersOfCycles(graph)).toEqual(["a", "b", "c"]);
});

test("folders import each other in one direction only", () => {
  const graph = folderGraph(fileGraph());
  expect(graph.size).toBeGreaterThan(20);
  expect(membersOfCycles(graph)).toEqual([]);
});

test("files import each other in one direction only, types too", () => {
  const graph = fileGraph();
  expect(graph.size).toBeGreaterThan(200);
  expect(membersOfCycles(graph)).toEqual([]);
});
