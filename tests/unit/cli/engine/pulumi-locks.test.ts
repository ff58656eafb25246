import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silent } from "../../../../common/progress";
import { freeLocks } from "../../../../cli/engine/pulumi-locks";

let folder: string;
const cancel = vi.fn(() => Promise.resolve(rmSync(join(folder, ".pulumi", "locks"), { recursive: true })));
const stack = { name: "dev", cancel } as unknown as Stack;
const free = () => freeLocks(stack, "kubewright", silent, AbortSignal.timeout(5_000));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-locks-"));
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${folder}`);
  cancel.mockClear();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function lockedBy(pid: number, host = hostname()): void {
  const place = join(folder, ".pulumi", "locks", "organization", "kubewright", "dev");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "x.json"), JSON.stringify({ pid, hostname: host, username: "ada", timestamp: "today" }));
}

test("does nothing where nothing is locked", async () => {
  await free();
  expect(cancel).not.toHaveBeenCalled();
});

test("removes the lock of a process that is dead", async () => {
  const child = spawn("true");
  await new Promise((ended) => child.once("exit", ended));
  lockedBy(child.pid ?? 0);
  await free();
  expect(cancel).toHaveBeenCalledOnce();
});

test("removes the lock of a number that belongs to another program now", async () => {
  lockedBy(process.pid);
  await free();
  expect(cancel).toHaveBeenCalledOnce();
});

test("says who holds it on another machine", async () => {
  lockedBy(1, "elsewhere");
  await expect(free()).rejects.toThrow(/ada works on it since today \(process 1 on elsewhere\); wait for that run/);
  expect(cancel).not.toHaveBeenCalled();
});
