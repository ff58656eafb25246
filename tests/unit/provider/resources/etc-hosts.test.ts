import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hostsResource } from "../../../../provider/resources/etc-hosts";
import type { RunOptions } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-hosts-"));
  file = join(folder, "hosts");
  writeFileSync(file, "127.0.0.1 localhost\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the scripts in a real shell, with /etc/hosts in a folder of the test. `lost` bytes of the input are cut off. */
class HostsMachine extends MemoryMachine {
  lost = 0;

  override async run(script: string, { stdin }: RunOptions) {
    const input = typeof stdin === "string" ? stdin.slice(0, stdin.length - this.lost) : "";
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script.replaceAll("/etc/hosts", file)], {
      input,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return { code: 0, stdout, stderr };
  }
}

const create = (machine: HostsMachine) =>
  hostsResource.create(machine.context(), { ...machine.target, entries: { "worker-1": "10.0.0.11" } });

test("the machines are added to the file, and its own lines stay", async () => {
  await create(new HostsMachine());
  expect(readFileSync(file, "utf8")).toMatch(/^127\.0\.0\.1 localhost\n[^]*10\.0\.0\.11\s+worker-1/);
  expect(readdirSync(folder)).toEqual(["hosts"]);
});

test("content that arrives incomplete changes nothing", async () => {
  const machine = new HostsMachine();
  machine.lost = 10;
  await expect(create(machine)).rejects.toThrow("the new content arrived incomplete");
  expect(readFileSync(file, "utf8")).toBe("127.0.0.1 localhost\n");
  expect(readdirSync(folder)).toEqual(["hosts"]);
});
