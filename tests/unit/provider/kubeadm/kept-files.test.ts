import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dropKeptFiles, keepFiles, restoreKeptFiles } from "../../../../provider/kubeadm/kept-files";
import { MemoryMachine } from "../../../support/memory-machine";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kept-"));
  mkdirSync(join(root, "etc"));
});
afterEach(() => rmSync(root, { recursive: true }));

const file = (name: string) => join(root, "etc", name);
const write = (name: string, content: string) => writeFileSync(file(name), content);
const content = (name: string) => readFileSync(file(name), "utf8");

/** A machine that runs the scripts in the test's folder, with the shell of this computer. */
function machine() {
  const own = new MemoryMachine();
  own.on(/./, (script) => execFileSync("sh", ["-c", script.replaceAll("/var/lib/", `${root}/var/lib/`)]).toString());
  return own.context().connections.get(own.connection);
}
const signal = new AbortController().signal;
const keep = (...names: string[]) => keepFiles(machine(), names.map(file), signal);
const restore = (...names: string[]) => restoreKeptFiles(machine(), names.map(file), signal);

test("files are as before, and those that did not exist are removed", async () => {
  write("a", "old");
  await keep("a", "b");
  write("a", "new");
  write("b", "new");
  await restore("a", "b");
  expect(content("a")).toBe("old");
  expect(existsSync(file("b"))).toBe(false);
});

test("the copies of an interrupted change stay, and files that it did not copy are added", async () => {
  write("a", "old");
  write("certificate", "old");
  await keep("a", "missing");
  write("a", "new");
  write("missing", "new");
  await keep("a", "missing", "certificate");
  write("certificate", "new");
  await restore("a", "missing", "certificate");
  expect([content("a"), content("certificate")]).toEqual(["old", "old"]);
  expect(existsSync(file("missing"))).toBe(false);
});

test("copies of a change that has ended are not used again", async () => {
  write("a", "first");
  await keep("a");
  await dropKeptFiles(machine(), signal);
  write("a", "second");
  await keep("a");
  await restore("a");
  expect(content("a")).toBe("second");
});

test("a change waits for the lock of the timer that renews certificates, and takes over its copies", async () => {
  write("a", "old");
  await keep("a");
  const previous = join(root, "var/lib/kubewright/kubeadm/previous");
  writeFileSync(join(previous, "renewal"), "etcd\n");
  const lock = join(root, "var/lib/kubewright/kubeadm/renewal.lock");
  const started = Date.now();
  const timer = spawn("flock", [lock, "sh", "-c", "echo; sleep 1"]);
  await once(timer.stdout, "data");
  await keep("a");
  expect(Date.now() - started).toBeGreaterThan(900);
  expect(existsSync(join(previous, "renewal"))).toBe(false);
});
