import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { removeFiles, textFile, writeFiles } from "../../../../provider/host/files";
import type { Remote, RunOptions } from "../../../../provider/ssh/remote";

/** Runs scripts in a shell of this computer, in a folder of its own, which also has the kept files. */
const machine = {
  label: "this computer",
  run: (script: string, { step, stdin }: RunOptions) =>
    new Promise((done, fail) => {
      const shell = spawn("/bin/sh", ["-c", script.replaceAll("/var/lib/kubewright", join(folder, "kubewright"))]);
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

describe("files that existed before", () => {
  const { signal } = new AbortController();
  const create = (content: string) =>
    writeFiles(machine as unknown as Remote, [textFile(path, content, "0644")], "writing", signal, {
      keepsPrevious: true,
    });
  const remove = () => removeFiles(machine as unknown as Remote, [path], "removing", signal);

  test("are restored by the removal, with their mode", async () => {
    await writeFile(path, "the user's", { mode: 0o640 });
    await create("ours");
    await write("ours, changed", "0644");
    expect(await readFile(path, "utf8")).toBe("ours, changed");
    await remove();
    expect(await readFile(path, "utf8")).toBe("the user's");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(["a.conf"]);
  });

  test("are kept once: a repeated creation does not keep Kubewright's own file", async () => {
    await writeFile(path, "the user's");
    await create("ours");
    await create("ours, changed");
    await remove();
    expect(await readFile(path, "utf8")).toBe("the user's");
  });

  test("stay when an interrupted removal runs again, and are kept again by the next write", async () => {
    await mkdir(join(folder, "kubewright"));
    const record = join(folder, "kubewright/machine-before");
    await writeFile(record, "folder /opt\n");
    await writeFile(path, "the user's");
    await create("ours");
    await remove();
    await remove();
    expect(await readFile(path, "utf8")).toBe("the user's");
    await write("ours again", "0644");
    expect(await readFile(record, "utf8")).toBe("folder /opt\n");
    await remove();
    expect(await readFile(path, "utf8")).toBe("the user's");
  });

  test("that are removed in the meantime are not restored: the next removal deletes our own file", async () => {
    await mkdir(join(folder, "kubewright"));
    await writeFile(join(folder, "kubewright/machine-before"), "");
    await writeFile(path, "the user's");
    await create("ours");
    await remove();
    await rm(path);
    await create("ours");
    await remove();
    expect(await readdir(folder)).toEqual(["kubewright"]);
  });

  test("are not invented: a file that did not exist is removed", async () => {
    await create("ours");
    await write("ours, changed", "0644");
    await remove();
    expect(await readdir(folder)).toEqual([]);
  });
});

test("a removal deletes Kubernetes' own empty folders, and never their parents", async () => {
  const scripts: string[] = [];
  const recorder = {
    run: (script: string) => {
      scripts.push(script);
      return Promise.resolve({ code: 0, stdout: "", stderr: "" });
    },
  };
  const paths = ["/opt/cni/bin/bridge", "/etc/systemd/system/kubelet.service.d/10.conf", "/usr/local/bin/kubelet"];
  await removeFiles(recorder as unknown as Remote, paths, "removing", new AbortController().signal);
  const [, folders] = /^rmdir (.*) 2>/m.exec(scripts[0] ?? "") ?? [];
  expect(folders?.split(" ")).toEqual(["/etc/systemd/system/kubelet.service.d", "/opt/cni/bin", "/opt/cni"]);
});
