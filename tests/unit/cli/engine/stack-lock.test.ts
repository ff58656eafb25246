import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { assertNotHeld, withStackLock } from "../../../../cli/engine/stack-lock";

let folder: string;
vi.mock("../../../../cli/engine/paths", () => ({ hiddenFolder: () => folder, backendFolder: () => undefined }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-stack-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lockFolder = () => join(folder, "dev.command.lock");
const hold = (work: () => Promise<unknown>) => withStackLock("dev", "kubewright", "npm run drift", work);

/** The lock of a process with this command line. */
function heldBy(pid: number): void {
  mkdirSync(lockFolder());
  const holder = { pid, username: "ada", command: "npm run node:drain", since: "today" };
  writeFileSync(join(folder, "dev.command.json"), JSON.stringify(holder));
}

test("a stack is held during the work, and free afterwards", async () => {
  await hold(async () => {
    expect(existsSync(lockFolder())).toBe(true);
    expect(() => assertNotHeld("dev")).not.toThrow(); // by this process itself
  });
  expect(existsSync(lockFolder())).toBe(false);
  expect(existsSync(join(folder, "dev.command.json"))).toBe(false);
});

test("a stack is free after work that fails", async () => {
  await expect(hold(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(lockFolder())).toBe(false);
});

test("a living command that holds the stack is named, and nothing runs", async () => {
  // A command of this project has bootstrap.cjs in its command line.
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)", "bootstrap.cjs"]);
  await once(other, "spawn");
  heldBy(other.pid ?? 0);
  const work = vi.fn(async () => undefined);
  try {
    const message = /ada runs `npm run node:drain` on it since today \(process \d+\); wait for that command to finish/;
    await vi.waitFor(() => expect(() => assertNotHeld("dev")).toThrow(message));
    await expect(hold(work)).rejects.toThrow(message);
  } finally {
    other.kill("SIGKILL");
  }
  expect(work).not.toHaveBeenCalled();
});

test("the lock of a killed command is taken over once it is stale", async () => {
  heldBy(999_999_999);
  const old = new Date(Date.now() - 60_000);
  utimesSync(lockFolder(), old, old);
  expect(await hold(async () => "done")).toBe("done");
});
