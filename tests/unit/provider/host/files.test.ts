import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { textFile, writeFiles } from "../../../../provider/host/files";
import type { Remote, RunOptions } from "../../../../provider/ssh/remote";

/** Runs scripts in a shell of this computer, in a folder of its own. */
const machine = {
  label: "this computer",
  run: (script: string, { step, stdin }: RunOptions) =>
    new Promise((done, fail) => {
      const shell = spawn("/bin/sh", ["-c", script]);
      let stdout = "";
      let stderr = "";
      shell.stdout.on("data", (data) => (stdout += data));
      shell.stderr.on("data", (data) => (stderr += data));
      shell.on("close", (code) =>
        code === 0 ? done({ code, stdout, stderr }) : fail(new StepError({ step, cause: stderr })),
      );
      if (typeof stdin === "function") stdin().pipe(shell.stdin);
      else shell.stdin.end();
    }),
  read: (script: string, options: RunOptions) => machine.run(script, options),
};
const write = (content: string, mode: string) =>
  writeFiles(machine as unknown as Remote, [textFile(path, content, mode)], "writing", new AbortController().signal);

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-files-"));
  path = join(folder, "a.conf");
});
afterEach(() => rm(folder, { recursive: true }));

test("a file with the right content and a wrong mode is written again", async () => {
  await writeFile(path, "1", { mode: 0o644 });
  expect(await write("1", "0600")).toEqual([path]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a file that is right is not written again", async () => {
  await write("1", "0640");
  expect(await write("1", "640")).toEqual([]);
});

test("where a folder has the file's name, nothing is moved into it, and the write fails", async () => {
  await mkdir(path);
  await expect(write("1", "0600")).rejects.toThrow("writing failed");
  expect(await readdir(path)).toEqual([]);
  expect(await readdir(folder)).toEqual(["a.conf"]);
});

test("a parent folder is created", async () => {
  path = join(folder, "deep/er/a.conf");
  await write("1\n", "0600");
  expect(await readFile(path, "utf8")).toBe("1\n");
});
