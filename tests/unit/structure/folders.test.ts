import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";

const IMPORT = /\b(?:from|import\()\s*"(\.{1,2}\/[^"]+)"/g;

/** The folders that a source file imports from. */
function importedFolders(file: string, files: ReadonlySet<string>): string[] {
  return [...readFileSync(join(projectRoot(), file), "utf8").matchAll(IMPORT)].flatMap(([, path = ""]) => {
    const target = normalize(join(dirname(file), path));
    const source = [target, `${target}.ts`, `${target}/index.ts`].find((candidate) => files.has(candidate));
    return source === undefined || dirname(source) === dirname(file) ? [] : [dirname(source)];
  });
}

function folderGraph(): Map<string, Set<string>> {
  const listed = execFileSync("git", ["ls-files", "*.ts"], { cwd: projectRoot(), encoding: "utf8" }).split("\n");
  const files = new Set(listed.filter((file) => file.includes("/") && !/^(?:tests|examples|tools)\//.test(file)));
  const graph = new Map<string, Set<string>>();
  for (const file of files) {
    const targets = graph.get(dirname(file)) ?? new Set();
    for (const folder of importedFolders(file, files)) targets.add(folder);
    graph.set(dirname(file), targets);
  }
  return graph;
}

/** Removes folders that import from no other folder, until none is left: what remains is in a cycle or leads to one. */
function foldersInCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const remaining = new Set(graph.keys());
  const isFree = (folder: string) => [...(graph.get(folder) ?? [])].every((target) => !remaining.has(target));
  for (let free = [...remaining].filter(isFree); free.length > 0; free = [...remaining].filter(isFree))
    for (const folder of free) remaining.delete(folder);
  return [...remaining].sort();
}

test("finds a cycle of folders", () => {
  const graph = new Map([
    ["a", new Set(["b"])],
    ["b", new Set(["c"])],
    ["c", new Set(["b"])],
    ["d", new Set<string>()],
  ]);
  expect(foldersInCycles(graph)).toEqual(["a", "b", "c"]);
});

test("folders import each other in one direction only", () => {
  const graph = folderGraph();
  expect(graph.size).toBeGreaterThan(20);
  expect(foldersInCycles(graph)).toEqual([]);
});
