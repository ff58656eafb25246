import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";

const SUFFIX = ".e2e.ts";

function suitesIn(folder: string): string[] {
  return readdirSync(join(projectRoot(), folder))
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/** The suites of the table that follows a sentence of docs/testing.md, sorted. */
function suitesAfter(sentence: string): string[] {
  const text = readFileSync(join(projectRoot(), "docs", "testing.md"), "utf8");
  const [, following = ""] = text.split(sentence);
  const table = following.trimStart().split("\n\n")[0] ?? "";
  return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, suite = ""]) => suite).sort();
}

test.each([
  ["tests/e2e", "The suites of `npm test`, and what each proves:\n"],
  ["tests/e2e/extended", "The extended suites, and what each proves:\n"],
])("docs/testing.md lists every suite of %s", (folder, sentence) => {
  expect(suitesAfter(sentence)).toEqual(suitesIn(folder));
});
