import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Cache, fileOf } from "../../../artifacts/cache";

/** Milliseconds after which the lock of a dead process is taken over: the minimum that the lock library allows. */
const STALE = 2000;

test("a killed process blocks the entry only until its lock is stale, and leaves no files", async () => {
  const root = await mkdtemp(join(tmpdir(), "two-runs-"));
  const other = spawn(
    process.execPath,
    [createRequire(__filename).resolve("tsx/cli"), join(__dirname, "killed-run.ts"), root],
    { stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  await once(other.stdout, "data");
  const messages: string[] = [];
  const waiting = new Cache({ root, stale: STALE }).obtain({
    key: "tool-1.0.0-amd64-modules",
    label: "tool",
    progress: (line) => {
      messages.push(line);
      process.kill(-(other.pid ?? 0), "SIGKILL");
    },
    signal: AbortSignal.timeout(30_000),
    fill: (folder) => writeFile(join(folder, "tool"), "whole"),
  });
  const entry = await waiting;
  expect(messages).toEqual(["waiting for another run to obtain tool"]);
  expect(await readFile(fileOf(entry, "tool").path, "utf8")).toBe("whole");
  expect(await readdir(join(root, "artifacts"))).toEqual(["tool-1.0.0-amd64-modules"]);
  await rm(root, { recursive: true });
}, 40_000);
