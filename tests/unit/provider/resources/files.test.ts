import { beforeEach, expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { filesResource } from "../../../../provider/resources/files";
import type { RunOptions } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const FIRST = { "/etc/demo/first": { content: "one\n", mode: "0644" } };
const SECOND = { "/etc/demo/second": { content: "two\n", mode: "0600" } };
const BOTH = { ...FIRST, ...SECOND };
type Files = Record<string, { content: string; mode: string }>;

let machine: MemoryMachine;
beforeEach(() => void (machine = new MemoryMachine()));
const inputs = (files: Files) => ({ ...machine.target, files });
const recorded = (files: Files) => ({ inputs: inputs(files), outputs: {} });
const create = (files: Files) => filesResource.create(machine.context(), inputs(files));
const read = (files: Files) => filesResource.read!(machine.context(), "id", recorded(files));
const readFiles = async (files: Files) => (await read(files))?.inputs.files;
const archives = () => machine.scripts.filter((script) => script.includes("tar -C /"));

test("files are written with their content and mode", async () => {
  expect(await create(BOTH)).toEqual({ id: "a1/a-test", outputs: {} });
  expect(Object.fromEntries(machine.files)).toEqual(BOTH);
});

test("files that are as configured are not written again", async () => {
  await create(BOTH);
  await create(BOTH);
  expect(archives()).toHaveLength(1);
});

test("a failed write names the group of files, the machine, the cause and the next action", async () => {
  class FullMachine extends MemoryMachine {
    override run(script: string, options: RunOptions) {
      if (!script.includes("tar -C /")) return super.run(script, options);
      const { step, action } = options;
      return Promise.reject(new StepError({ step, machine: this.label, cause: "No space left on device", action }));
    }
  }
  machine = new FullMachine();
  await expect(create(BOTH)).rejects.toThrow(
    /writing a-test failed on worker-1 \(10\.0\.0\.1\): No space left on device; free space on the disk/,
  );
});

test("nothing is written to a machine that was rebuilt since the last refresh", async () => {
  machine.instance = "b2";
  await expect(create(FIRST)).rejects.toThrow(/machine-id b2.* the machine was rebuilt: run `npm start -- --refresh`/);
  expect(machine.files.size).toBe(0);
});

test("a refresh reports changed content, changed modes and deleted files", async () => {
  await create(BOTH);
  expect(await readFiles(BOTH)).toEqual(BOTH);
  machine.files.set("/etc/demo/first", { content: "edited\n", mode: "0666" });
  expect(await readFiles(BOTH)).toEqual({ "/etc/demo/first": { content: "edited\n", mode: "0666" }, ...SECOND });
  machine.files.delete("/etc/demo/first");
  expect(await readFiles(BOTH)).toEqual(SECOND);
});

test("a refresh reports the resource as deleted when all its files are", async () => {
  expect(await read(BOTH)).toBeUndefined();
});

test("a refresh of a rebuilt machine reports the resource as deleted", async () => {
  await create(BOTH);
  machine.instance = "b2";
  expect(await read(BOTH)).toBeUndefined();
});

test("an update removes the files that are no longer configured", async () => {
  await create(BOTH);
  await filesResource.update!(machine.context(), "id", inputs(SECOND), recorded(BOTH));
  expect(Object.fromEntries(machine.files)).toEqual(SECOND);
});

test("a delete removes the files, and no others", async () => {
  await create(BOTH);
  await filesResource.delete!(machine.context(), "id", recorded(FIRST));
  expect(Object.fromEntries(machine.files)).toEqual(SECOND);
});
