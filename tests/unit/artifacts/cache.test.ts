import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cache, fileOf, type EntryRequest } from "../../../artifacts/cache";
import { cacheRoot } from "../../../common/cache-root";
import { silent } from "../../../common/progress";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cache-test-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const never = new AbortController().signal;

function entry(fill: EntryRequest["fill"], progress = silent, signal = never): EntryRequest {
  return { key: "tool-1.0.0-amd64-modules", label: "tool 1.0.0", fill, progress, signal };
}

const writeTool = async (folder: string): Promise<void> => writeFile(join(folder, "tool"), "content");

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

test("finds a created entry, with checksum and notes, and does not create it again", async () => {
  const created = await new Cache({ root }).obtain(
    entry(async (folder) => {
      await writeTool(folder);
      return { digest: "abc" };
    }),
  );
  const again = await new Cache({ root }).obtain(entry(() => Promise.reject(new Error("created twice"))));
  expect(again).toEqual(created);
  expect(again.notes).toEqual({ digest: "abc" });
  expect(fileOf(again, "tool")).toMatchObject({
    size: 7,
    sha256: "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
  });
});

test("creates an entry once for two parallel callers, and reports that the second waits", async () => {
  const waiting = deferred();
  let fills = 0;
  const fill = async (folder: string): Promise<void> => {
    fills++;
    await waiting.promise;
    await writeTool(folder);
  };
  const messages: string[] = [];
  const progress = (message: string): void => {
    messages.push(message);
    waiting.resolve();
  };
  const [first, second] = await Promise.all([
    new Cache({ root }).obtain(entry(fill, progress)),
    new Cache({ root }).obtain(entry(fill, progress)),
  ]);
  expect(fills).toBe(1);
  expect(messages).toEqual(["waiting for another run to obtain tool 1.0.0"]);
  expect(second).toEqual(first);
});

test("keeps nothing of a failed build, and the next one succeeds", async () => {
  const broken = entry(async (folder) => {
    await writeTool(folder);
    throw new Error("compiler failed");
  });
  await expect(new Cache({ root }).obtain(broken)).rejects.toThrow("compiler failed");
  expect(await readdir(join(root, "artifacts"))).toEqual([]);
  await expect(new Cache({ root }).obtain(entry(writeTool))).resolves.toBeDefined();
});

test("publishes nothing of an aborted build", async () => {
  const controller = new AbortController();
  const aborted = entry(
    async (folder) => {
      await writeTool(folder);
      controller.abort(new Error("stopped"));
    },
    silent,
    controller.signal,
  );
  await expect(new Cache({ root }).obtain(aborted)).rejects.toThrow("stopped");
  expect(await new Cache({ root }).find(aborted.key)).toBeUndefined();
});

test("removes leftovers of killed runs: those of the same key, and old ones of other keys", async () => {
  const folder = (name: string): string => join(root, "artifacts", name);
  const own = folder(".tmp-tool-1.0.0-amd64-modules-Ab12Cd");
  const fresh = folder(".tmp-other-1.0.0-amd64-modules-Ab12Cd");
  const old = folder(".tmp-old-1.0.0-amd64-modules-Ab12Cd");
  for (const path of [own, fresh, old]) await mkdir(path, { recursive: true });
  await utimes(old, new Date(0), new Date(0));
  await new Cache({ root }).obtain(entry(writeTool));
  expect([own, fresh, old].map((path) => existsSync(path))).toEqual([false, true, false]);
});

test("takes over the lock of a killed run", async () => {
  const lock = join(root, "locks", "tool-1.0.0-amd64-modules.lock");
  await mkdir(lock, { recursive: true });
  await utimes(lock, new Date(0), new Date(0));
  await expect(new Cache({ root }).obtain(entry(writeTool))).resolves.toBeDefined();
});

test.each([
  ["grew", (path: string) => appendFile(path, "x")],
  ["changed", (path: string) => writeFile(path, "CONTENT")],
  ["is missing", (path: string) => rm(path)],
])("rebuilds an entry with a file that %s", async (_, damage) => {
  const cache = new Cache({ root });
  const created = await cache.obtain(entry(writeTool));
  await damage(fileOf(created, "tool").path);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeUndefined();
  const again = await cache.obtain(entry(writeTool));
  expect(fileOf(again, "tool").sha256).toBe(fileOf(created, "tool").sha256);
});

test.each(["one", "two"])("rebuilds an entry of two files when only file %s is damaged", async (name) => {
  const cache = new Cache({ root });
  const request = entry(async (folder) => {
    for (const file of ["one", "two"]) await writeFile(join(folder, file), `content of ${file}`);
  });
  const created = await cache.obtain(request);
  await writeFile(fileOf(created, name).path, "damaged");
  expect(await cache.find(request.key)).toBeUndefined();
  expect(fileOf(await cache.obtain(request), name).sha256).toBe(fileOf(created, name).sha256);
});

test.each([
  ["is missing", ""],
  ["is no JSON", "{"],
  ["has another shape", '{"key":"tool-1.0.0-amd64-modules"}'],
  ["belongs to another key", '{"key":"other","files":{},"notes":{}}'],
])("rebuilds an entry whose manifest %s", async (_, manifest) => {
  const cache = new Cache({ root });
  const { dir } = await cache.obtain(entry(writeTool));
  await writeFile(join(dir, "manifest.json"), manifest);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeUndefined();
  await cache.obtain(entry(writeTool));
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeDefined();
});

test("refuses to return a file that an entry does not have", async () => {
  const created = await new Cache({ root }).obtain(entry(writeTool));
  expect(() => fileOf(created, "other")).toThrow(/has no other$/);
});

test("detects damage that keeps size and time only when thorough", async () => {
  const cache = new Cache({ root });
  const { path } = fileOf(
    await cache.obtain(
      entry(async (folder) => {
        await writeTool(folder);
        await utimes(join(folder, "tool"), 1000, 1000);
      }),
    ),
    "tool",
  );
  await writeFile(path, "CONTENT");
  await utimes(path, 1000, 1000);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeDefined();
  expect(await new Cache({ root, thorough: true }).find("tool-1.0.0-amd64-modules")).toBeUndefined();
});

test("keeps a file of which only the modification time changed", async () => {
  const cache = new Cache({ root });
  const { path } = fileOf(await cache.obtain(entry(writeTool)), "tool");
  await utimes(path, 1000, 1000);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeDefined();
});

test("resolves the cache folder from the environment", () => {
  expect(cacheRoot({ KUBEWRIGHT_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(cacheRoot({ XDG_CACHE_HOME: "/b" })).toBe("/b/kubewright");
  expect(cacheRoot({})).toMatch(/\/\.cache\/kubewright$/);
});
