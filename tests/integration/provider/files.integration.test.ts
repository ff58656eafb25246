import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Context } from "../../../provider/rpc/handler";
import { sha256 } from "../../../provider/host/files";
import { binariesResource } from "../../../provider/resources/binaries";
import { filesResource } from "../../../provider/resources/files";
import { startSshd, type Sshd } from "../../support/sshd";
import { silentContext } from "../../support/context";

let sshd: Sshd;
let folder: string;
const warnings: string[] = [];
const context: Context = {
  ...silentContext,
  name: "some-files",
  warn: (message) => warnings.push(message),
};
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const onHost = () => ({ connection: sshd.connection(), instance });
const recorded = (inputs: Record<string, unknown>) => ({ inputs, outputs: {} });

beforeAll(async () => (sshd = await startSshd()), 60_000);
afterAll(async () => {
  silentContext.connections.get(sshd.connection()).close();
  await sshd.stop();
});
beforeEach(async () => {
  folder = join(sshd.folder, "files");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  warnings.length = 0;
});

test("creates files with their modes, including awkward names and contents", async () => {
  const files = {
    [`${folder}/deep/a b'c`]: { content: "it's\n$(true)\n", mode: "0600" },
    [`${folder}/plain`]: { content: "", mode: "0644" },
  };
  await filesResource.create(context, { ...onHost(), files });
  expect(await readFile(`${folder}/deep/a b'c`, "utf8")).toBe("it's\n$(true)\n");
  expect((await stat(`${folder}/deep/a b'c`)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["deep", "plain"]);
});

test("does not write a file that is correct already", async () => {
  const inputs = {
    ...onHost(),
    files: { [`${folder}/a`]: { content: "1", mode: "0644" }, [`${folder}/b`]: { content: "2", mode: "0644" } },
  };
  await filesResource.create(context, inputs);
  const before = await stat(`${folder}/a`);
  await writeFile(`${folder}/b`, "other");
  await filesResource.update?.(context, "id", inputs, recorded(inputs));
  expect((await stat(`${folder}/a`)).ino).toBe(before.ino);
  expect(await readFile(`${folder}/b`, "utf8")).toBe("2");
});

test("a read returns content, mode and absence", async () => {
  const names = ["same", "edited", "opened", "gone"];
  const files = Object.fromEntries(names.map((name) => [`${folder}/${name}`, { content: name, mode: "0644" }]));
  const inputs = { ...onHost(), files };
  await filesResource.create(context, inputs);
  await writeFile(`${folder}/edited`, "manual");
  await chmod(`${folder}/opened`, 0o666);
  await rm(`${folder}/gone`);
  const found = await filesResource.read?.(context, "id", recorded(inputs));
  expect(found?.inputs).toMatchObject({
    files: {
      [`${folder}/same`]: { content: "same", mode: "0644" },
      [`${folder}/edited`]: { content: "manual", mode: "0644" },
      [`${folder}/opened`]: { content: "opened", mode: "0666" },
    },
  });
  expect(Object.keys((found?.inputs as { files: object }).files)).not.toContain(`${folder}/gone`);
});

test("an update removes files that are no longer configured, a delete removes all; both can be repeated", async () => {
  const file = (name: string) => ({ [`${folder}/${name}`]: { content: name, mode: "0644" } });
  const old = { ...onHost(), files: { ...file("a"), ...file("b") } };
  await filesResource.create(context, old);
  const now = { ...onHost(), files: file("a") };
  await filesResource.update?.(context, "id", now, recorded(old));
  expect(await readdir(folder)).toEqual(["a"]);
  await filesResource.delete?.(context, "id", recorded(now));
  await filesResource.delete?.(context, "id", recorded(now));
  expect(await readdir(folder)).toEqual([]);
});

test("on a rebuilt machine nothing is written or deleted, and a read finds nothing", async () => {
  const files = { [`${folder}/a`]: { content: "1", mode: "0644" } };
  await filesResource.create(context, { ...onHost(), files });
  const other = { ...onHost(), instance: "0123456789abcdef0123456789abcdef", files };
  await expect(filesResource.create(context, other)).rejects.toThrow(/machine-id .* differs .* `pulumi up --refresh`/);
  await filesResource.delete?.(context, "id", recorded(other));
  expect(await readdir(folder)).toEqual(["a"]);
  expect(await filesResource.read?.(context, "id", recorded(other))).toBeUndefined();
});

test("refuses a binary that arrives damaged, and keeps the previous one", async () => {
  const source = join(sshd.folder, "binary");
  const place = `${folder}/binary`;
  await Promise.all([writeFile(source, "new"), writeFile(place, "old", { mode: 0o755 })]);
  const inputs = (sha: string) => ({ ...onHost(), files: { [place]: sha }, sources: { [sha]: source } });
  await expect(binariesResource.create(context, inputs(sha256("something else")))).rejects.toThrow(
    /copying binaries failed on sshd/,
  );
  expect(await readFile(place, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["binary"]);
  await binariesResource.create(context, inputs(sha256("new")));
  expect(await readFile(place, "utf8")).toBe("new");
});

test("reports a path that cannot be written, with the machine and the next action", async () => {
  const full = { ...onHost(), files: { "/dev/full/x": { content: "1", mode: "0644" } } };
  await expect(filesResource.create(context, full)).rejects.toThrow(/writing some-files failed on sshd .*free space/);
});
