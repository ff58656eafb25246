import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silent } from "../../../../common/progress";
import { assertUnlocked, engineProcess, releaseStaleLocks } from "../../../../cli/engine/pulumi-locks";

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

describe("while the engine of another run is alive", () => {
  let engine: ChildProcess;
  beforeEach(async () => {
    // A process with the name of the engine: /proc has only the name of the executable.
    const executable = join(folder, "pulumi-engine");
    copyFileSync("/bin/sleep", executable);
    engine = spawn(executable, ["60"]);
    await once(engine, "spawn");
    lockedBy(engine.pid ?? 0);
  });
  afterEach(() => void engine.kill("SIGKILL"));

  test("waits for it instead of cancelling its lock, and removes what it leaves", async () => {
    const lines: string[] = [];
    let hasEnded = false;
    const waiting = releaseStaleLocks(stack, "kubewright", (line) => lines.push(line), AbortSignal.timeout(20_000));
    void waiting.then(() => (hasEnded = true));
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(lines[0]).toBe(`another run (process ${engine.pid}) works on this stack: waiting for it to finish`);
    expect(cancel).not.toHaveBeenCalled();
    expect(hasEnded).toBe(false);
    engine.kill("SIGKILL");
    await waiting;
    expect(cancel).toHaveBeenCalledOnce();
  });

  test("a command that does not wait is refused, with the holder", () => {
    expect(() => assertUnlocked("dev", "kubewright")).toThrow(/ada has been working on it since today/);
    expect(engineProcess("dev", "kubewright")).toBe(engine.pid);
  });
});
