import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silent } from "../../../../common/progress";
import { releaseStaleLocks } from "../../../../cli/engine/pulumi-locks";

let folder: string;
const cancel = vi.fn(() => Promise.resolve(rmSync(join(folder, ".pulumi", "locks"), { recursive: true })));
const stack = { name: "dev", cancel } as unknown as Stack;
const release = () => releaseStaleLocks(stack, "kubewright", silent, AbortSignal.timeout(5_000));

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
  const locks = join(folder, ".pulumi", "locks", "organization", "kubewright", "dev");
  mkdirSync(locks, { recursive: true });
  writeFileSync(join(locks, "x.json"), JSON.stringify({ pid, hostname: host, username: "ada", timestamp: "today" }));
}

test("does nothing without a lock", async () => {
  await release();
  expect(cancel).not.toHaveBeenCalled();
});

test("removes the lock of a dead process", async () => {
  const child = spawn("true");
  await new Promise((ended) => child.once("exit", ended));
  lockedBy(child.pid ?? 0);
  await release();
  expect(cancel).toHaveBeenCalledOnce();
});

test("removes a lock whose process id belongs to another program now", async () => {
  lockedBy(process.pid);
  await release();
  expect(cancel).toHaveBeenCalledOnce();
});

test("refuses a lock of another computer, and names its holder", async () => {
  lockedBy(1, "elsewhere");
  await expect(release()).rejects.toThrow(
    /ada has been working on it since today \(process 1 on elsewhere\); wait for that run/,
  );
  expect(cancel).not.toHaveBeenCalled();
});
