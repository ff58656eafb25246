import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestFolder, removeTestFolder } from "../../support/test-folder";

let parent: string;
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), "test-folder-"))));
afterEach(() => rmSync(parent, { recursive: true }));

const HOUR_S = 3600;
/** Makes a file or folder look as if it was written an hour ago. */
function age(path: string): void {
  const then = Date.now() / 1000 - HOUR_S;
  utimesSync(path, then, then);
}

/** The folder of a run; a killed one no longer renews its lock. */
function folderOf(name: string, lock?: "renewed" | "stale"): string {
  const folder = join(parent, name);
  mkdirSync(join(folder, "home", "cache"), { recursive: true });
  if (lock) mkdirSync(join(folder, ".lock"));
  if (lock === "stale") age(join(folder, ".lock"));
  age(folder);
  return folder;
}

test("a run removes the folders of killed runs, and no others", async () => {
  const killed = [folderOf("kubewright-team-homes-aaaaaa", "stale"), folderOf("kubewright-team-homes-bbbbbb")];
  const others = [
    folderOf("kubewright-team-homes-cccccc", "renewed"),
    folderOf("kubewright-team-homes-s3-dddddd"),
    folderOf("kubewright-team-eeeeee"),
  ];
  const starting = join(parent, "kubewright-team-homes-ffffff"); // created, and not locked yet
  mkdirSync(starting);
  const folder = await createTestFolder("team-homes", parent);
  expect(killed.filter((each) => existsSync(each))).toEqual([]);
  expect([...others, starting].filter((each) => !existsSync(each))).toEqual([]);
  await removeTestFolder(folder);
});

test("a run keeps the folder of another one that lives, also an old one", async () => {
  const living = await createTestFolder("team-homes", parent);
  age(living);
  const next = await createTestFolder("team-homes", parent);
  expect(
    readdirSync(parent)
      .map((name) => join(parent, name))
      .sort(),
  ).toEqual([living, next].sort());
  for (const folder of [living, next]) await removeTestFolder(folder);
  expect(readdirSync(parent)).toEqual([]);
});
