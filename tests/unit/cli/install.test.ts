import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";

const load = createRequire(join(projectRoot(), "package.json"));
const { isInstalled } = load("./cli/install.cjs") as { isInstalled: (root: string) => boolean };
const { withLock } = load("./cli/lock.cjs") as {
  withLock: <T>(path: string, onWait: (pid: number) => void, work: () => Promise<T>) => Promise<T>;
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-install-"));
  mkdirSync(join(root, "node_modules"));
  write("package-lock.json", {
    "": { version: "1" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/mac-only": { version: "2.0.0", optional: true },
  });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, packages: object): void {
  writeFileSync(join(root, name), JSON.stringify({ packages }));
}
const setInstalled = (packages: object) => write("node_modules/.package-lock.json", packages);

test("an installation that npm has not finished does not count", () => expect(isInstalled(root)).toBe(false));

test("locked packages must be installed, except optional ones for other systems", () => {
  setInstalled({ "node_modules/a": { version: "1.0.0" } });
  expect(isInstalled(root)).toBe(true);
});

test.each([
  {},
  { "node_modules/a": { version: "0.9.0" } },
  { "node_modules/a": { version: "1.0.0" }, "node_modules/mac-only": { version: "1.0.0" } },
])("refuses packages of other versions: %j", (packages) => {
  setInstalled(packages);
  expect(isInstalled(root)).toBe(false);
});

test("runs one process at a time, and takes over the lock of a dead one", async () => {
  const path = join(root, "lock");
  writeFileSync(path, "999999999");
  let inside = 0;
  const work = async () => {
    inside++;
    await new Promise((next) => setImmediate(next));
    return inside--;
  };
  expect(await Promise.all([withLock(path, () => undefined, work), withLock(path, () => undefined, work)])).toEqual([
    1, 1,
  ]);
});
