import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { readDiskNotes } from "../../../../cli/nodes/upgrade-disk";
import { ScriptedMachine } from "../../../support/scripted-machine";

const { signal } = new AbortController();
const machine = (label: string, stdout: string | Error) =>
  new ScriptedMachine(() => (typeof stdout === "string" ? { stdout } : stdout), label);

test("a machine without room for another version is named, with what to do", async () => {
  const machines = [machine("worker-1 (10.0.0.11)", "2047\n"), machine("worker-2 (10.0.0.12)", "2048\n")];
  expect(
    await readDiskNotes(
      machines.map(({ remote }) => remote),
      signal,
    ),
  ).toEqual([
    "worker-1 (10.0.0.11): only 2047 MiB are free in /var/lib, and copying the binaries and images of another " +
      "version needs up to 2048 MiB; free space or enlarge the disk",
  ]);
});

test("a machine that does not answer, or answers something else, has no note", async () => {
  const machines = [machine("a", new Error("connection lost")), machine("b", ""), machine("c", "-\n")];
  expect(
    await readDiskNotes(
      machines.map(({ remote }) => remote),
      signal,
    ),
  ).toEqual([]);
});

test("the script prints one number", async () => {
  const one = machine("a", "0");
  await readDiskNotes([one.remote], signal);
  expect(execFileSync("sh", ["-c", one.scripts[0] ?? ""], { encoding: "utf8" })).toMatch(/^\d+\n$/);
});

test("an aborted plan ends", async () => {
  await expect(readDiskNotes([machine("a", "1").remote], AbortSignal.abort())).rejects.toThrow();
});
