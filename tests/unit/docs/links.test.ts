import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";
import { anchors, readPages, relativeLinks } from "../../support/markdown";

const inProject = (path: string) => join(projectRoot(), path);

test("every relative link leads to a file", () => {
  const broken = readPages().flatMap((page) =>
    relativeLinks(page)
      .filter(({ file }) => !existsSync(inProject(file)))
      .map(({ file }) => `${page.path}: ${file}`),
  );
  expect(broken).toEqual([]);
});

test("every anchor is a heading of the page that it leads to", () => {
  const broken = readPages().flatMap((page) =>
    relativeLinks(page)
      .filter(({ file, anchor }) => anchor !== undefined && existsSync(inProject(file)))
      .filter(({ file, anchor = "" }) => !anchors(readFileSync(inProject(file), "utf8")).includes(anchor))
      .map(({ file, anchor }) => `${page.path}: ${file}#${anchor}`),
  );
  expect(broken).toEqual([]);
});

test("the index leads to every page", () => {
  const pages = readPages();
  const index = pages.find(({ path }) => path === join("docs", "README.md"));
  const linked = index ? relativeLinks(index).map(({ file }) => file) : [];
  const others = pages.map(({ path }) => path).filter((path) => path.startsWith("docs") && path !== index?.path);
  expect(linked).toEqual(expect.arrayContaining(others));
});

const FOLDERS =
  "artifacts|bin|cli|common|components|contracts|docs|examples|provider|render|sdk|templates|tests|tools";

test("every source file that a page names exists", () => {
  const path = new RegExp(`\`((?:${FOLDERS})/[\\w./-]+)\``, "g");
  const missing = readPages().flatMap(({ path: page, text }) =>
    [...text.matchAll(path)]
      .map(([, file = ""]) => file)
      .filter((file) => !existsSync(inProject(file)))
      .map((file) => `${page}: ${file}`),
  );
  expect(missing).toEqual([]);
});
