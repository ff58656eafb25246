import { mkdir, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { userLock, withLock } from "../../../common/lock";
import { silent } from "../../../common/progress";

const never = new AbortController().signal;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test("runs work under one lock one after another, and reports once that it waits", async () => {
  const path = join(folder, "nested", "lock");
  const messages: string[] = [];
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    events.push(`${name} ends`);
  };
  const options = { task: "build tool", progress: (message: string) => messages.push(message), signal: never };
  await Promise.all([withLock(path, options, work("a")), withLock(path, options, work("b"))]);
  expect(events.map((event) => event.split(" ")[1])).toEqual(["begins", "ends", "begins", "ends"]);
  expect(messages).toEqual(["waiting for another run to build tool"]);
});

test("releases the lock when the work fails", async () => {
  const path = join(folder, "lock");
  const options = { task: "build tool", progress: silent, signal: never };
  await expect(withLock(path, options, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock(path, options, async () => "done")).toBe("done");
});

test("takes over the lock of a killed run", async () => {
  const path = join(folder, "lock");
  await mkdir(`${path}.lock`);
  await utimes(`${path}.lock`, new Date(0), new Date(0));
  expect(await withLock(path, { task: "build tool", progress: silent, signal: never }, async () => "done")).toBe(
    "done",
  );
});

test("stops waiting on abort", async () => {
  const path = join(folder, "lock");
  const controller = new AbortController();
  const progress = () => controller.abort(new Error("stopped"));
  await mkdir(`${path}.lock`);
  const waiting = withLock(path, { task: "build tool", progress, signal: controller.signal }, async () => "done");
  await expect(waiting).rejects.toThrow("stopped");
});

test("keeps the locks of a user in the cache folder", () => {
  vi.stubEnv("XDG_CACHE_HOME", "/cache");
  expect(userLock("image")).toBe("/cache/kubewright/locks/image");
});
