import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cache, cacheRoot, fileOf, type Making } from "../../../artifacts/cache";
import { silent } from "../../../common/progress";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cache-test-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const never = new AbortController().signal;

function making(fill: Making["fill"], progress = silent, signal = never): Making {
  return { key: "tool-1.0.0-amd64-modules", what: "tool 1.0.0", fill, progress, signal };
}

const writeTool = async (folder: string): Promise<void> => writeFile(join(folder, "tool"), "content");

function promise(): { kept: Promise<void>; keep: () => void } {
  let keep: () => void = () => undefined;
  const kept = new Promise<void>((resolve) => (keep = resolve));
  return { kept, keep };
}

test("what was made is found, with checksum and notes, and not made again", async () => {
  const made = await new Cache({ root }).obtain(
    making(async (folder) => {
      await writeTool(folder);
      return { digest: "abc" };
    }),
  );
  const again = await new Cache({ root }).obtain(making(() => Promise.reject(new Error("made twice"))));
  expect(again).toEqual(made);
  expect(again.notes).toEqual({ digest: "abc" });
  expect(fileOf(again, "tool")).toMatchObject({
    size: 7,
    sha256: "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
  });
});

test("two callers at once make it once; the second says that it waits", async () => {
  const waiting = promise();
  let made = 0;
  const fill = async (folder: string): Promise<void> => {
    made++;
    await waiting.kept;
    await writeTool(folder);
  };
  const said: string[] = [];
  const hear = (message: string): void => {
    said.push(message);
    waiting.keep();
  };
  const [first, second] = await Promise.all([
    new Cache({ root }).obtain(making(fill, hear)),
    new Cache({ root }).obtain(making(fill, hear)),
  ]);
  expect(made).toBe(1);
  expect(said).toEqual(["waiting for another run that builds tool 1.0.0"]);
  expect(second).toEqual(first);
});

test("a failed build leaves nothing, and the next one succeeds", async () => {
  const broken = making(async (folder) => {
    await writeTool(folder);
    throw new Error("compiler fell over");
  });
  await expect(new Cache({ root }).obtain(broken)).rejects.toThrow("compiler fell over");
  expect(await readdir(join(root, "artifacts"))).toEqual([]);
  await expect(new Cache({ root }).obtain(making(writeTool))).resolves.toBeDefined();
});

test("an aborted build publishes nothing", async () => {
  const controller = new AbortController();
  const aborted = making(
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

test("leftovers of a killed run are swept: its own key's at once, others' once they are old", async () => {
  const folder = (name: string): string => join(root, "artifacts", name);
  const own = folder(".tmp-tool-1.0.0-amd64-modules-Ab12Cd");
  const fresh = folder(".tmp-other-1.0.0-amd64-modules-Ab12Cd");
  const old = folder(".tmp-old-1.0.0-amd64-modules-Ab12Cd");
  for (const path of [own, fresh, old]) await mkdir(path, { recursive: true });
  await utimes(old, new Date(0), new Date(0));
  await new Cache({ root }).obtain(making(writeTool));
  expect([own, fresh, old].map((path) => existsSync(path))).toEqual([false, true, false]);
});

test("a killed run's lock is taken over", async () => {
  const lock = join(root, "locks", "tool-1.0.0-amd64-modules.lock");
  await mkdir(lock, { recursive: true });
  await utimes(lock, new Date(0), new Date(0));
  await expect(new Cache({ root }).obtain(making(writeTool))).resolves.toBeDefined();
});

test.each([
  ["grew", (path: string) => appendFile(path, "x")],
  ["changed", (path: string) => writeFile(path, "CONTENT")],
  ["is gone", (path: string) => rm(path)],
])("a file that %s is noticed and made again", async (_, damage) => {
  const cache = new Cache({ root });
  const made = await cache.obtain(making(writeTool));
  await damage(fileOf(made, "tool").path);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeUndefined();
  const again = await cache.obtain(making(writeTool));
  expect(fileOf(again, "tool").sha256).toBe(fileOf(made, "tool").sha256);
});

test("damage that keeps size and time is noticed by a thorough look only", async () => {
  const cache = new Cache({ root });
  const { path } = fileOf(
    await cache.obtain(
      making(async (folder) => {
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

test("a file that was only touched is hashed, and kept", async () => {
  const cache = new Cache({ root });
  const { path } = fileOf(await cache.obtain(making(writeTool)), "tool");
  await utimes(path, 1000, 1000);
  expect(await cache.find("tool-1.0.0-amd64-modules")).toBeDefined();
});

test("where the cache is", () => {
  expect(cacheRoot({ KUBEWRIGHT_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(cacheRoot({ XDG_CACHE_HOME: "/b" })).toBe("/b/kubewright");
  expect(cacheRoot({})).toMatch(/\/\.cache\/kubewright$/);
});
