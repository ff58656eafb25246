import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { obtainMachineRestic } from "../../../../artifacts/restic";
import { backupAccessContract } from "../../../../contracts/kubeadm/backup-access";
import { isSecret } from "../../../../contracts/secret";
import { backupAccessResource as resource } from "../../../../provider/resources/backup-access";
import { accessFiles, RESTIC } from "../../../../render/backup/access";
import { ETCDUTL } from "../../../../render/backup/etcd-programs";
import { octal } from "../../../../render/node-files";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("../../../../artifacts/restic", () => ({ obtainMachineRestic: vi.fn() }));

const folder = mkdtempSync(join(tmpdir(), "kubewright-access-"));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string) {
  const path = join(folder, name);
  writeFileSync(path, name);
  return { path, sha256: createHash("sha256").update(name).digest("hex"), size: name.length };
}

const etcdutl = program("etcdutl");
const KEY = "/etc/kubewright/backup-access/ssh-key";
const files = octal(accessFiles({ password: "a password", sftp: { key: "KEY", hostKey: "ssh-ed25519 AAAA" } }));
const withoutKey = octal(accessFiles({ password: "another" }));
let machine: MemoryMachine;
let scripts: string[];

beforeEach(() => {
  scripts = [];
  vi.mocked(obtainMachineRestic).mockResolvedValue(program("restic"));
  const run = (answer: string) => (script: string) => (scripts.push(script), answer);
  machine = new MemoryMachine()
    .on(/uname -m/, run("aarch64\n"))
    .on(/etcdutl version/, () => "3.6.8\n3.6.8\n")
    .on(/restic version/, run("restic 0.18.1"))
    .on(/^call_restic/m, run(""))
    .on(/systemctl stop/, run(""));
});
afterEach(() => vi.clearAllMocks());

const context = () => machine.context({ cachedFiles: { obtain: (path: string) => Promise.resolve(path) } as never });
const access = { repository: "sftp:me@nas:/b", options: [], creates: true, etcdutl };
const inputs = (own: typeof files, more: Partial<typeof access> = {}) => ({
  ...{ ...machine.target, ...access, ...more },
  files: own,
});
/** The commands of restic that open the repository, or create it. */
const commands = () => scripts.flatMap((script) => /^call_restic \d+ (\w+)/m.exec(script)?.[1] ?? []);
const stored = (path: string) => machine.files.get(path);

test("copies restic of the machine's architecture, etcdutl, and the files for root only", async () => {
  await resource.create(context(), inputs(files));
  expect(vi.mocked(obtainMachineRestic).mock.calls[0]?.[0]).toBe("arm64");
  expect(stored(RESTIC)).toMatchObject({ content: "restic", mode: "0755" });
  expect(stored(ETCDUTL)).toMatchObject({ content: "etcdutl", mode: "0755" });
  expect(stored(KEY)).toEqual({ content: "KEY\n", mode: "0600" });
  for (const path of Object.keys(files)) expect(stored(path)?.mode).toBe("0600");
});

test("the machine proves that it opens the repository, and creates none that exists", async () => {
  await resource.create(context(), inputs(files));
  expect(commands()).toEqual(["cat"]);
});

/** Lets the machine find no repository. */
function loseRepository() {
  machine.on(/^call_restic \d+ cat/m, (script) => (scripts.push(script), { code: 10 }));
}

test("the first control plane creates the repository once, and again for another address", async () => {
  loseRepository();
  await resource.create(context(), inputs(files));
  expect(commands()).toEqual(["cat", "init"]);
  const old = { inputs: inputs(files), outputs: {} };
  await expect(resource.update?.(context(), "id", inputs(withoutKey), old)).rejects.toThrow(
    /opening the repository .* failed on worker-1 .*: sftp:me@nas:\/b has no repository; .* restored .*; if its disk/,
  );
  expect(commands()).toEqual(["cat", "init", "cat"]);
  await resource.update?.(context(), "id", inputs(files, { repository: "sftp:me@nas:/c" }), old);
  expect(commands().slice(3)).toEqual(["cat", "init"]);
});

test("another control plane creates no repository, and leaves no secret without one", async () => {
  loseRepository();
  const undo = vi.fn();
  const create = resource.create({ ...context(), undo }, inputs(files, { creates: false }));
  await expect(create).rejects.toThrow(/has no repository; the password and the keys were removed/);
  expect([...machine.files.keys()]).toEqual([ETCDUTL]);
  expect(undo).toHaveBeenCalledOnce();
  expect(commands()).toEqual(["cat"]);
});

test("a machine keeps its access when it cannot open the repository with another one", async () => {
  await resource.create(context(), inputs(files));
  const before = Object.fromEntries(machine.files);
  machine.on(/^call_restic/m, () => ({ code: 12, stderr: "wrong password" }));
  const undo = vi.fn();
  const old = { inputs: inputs(files), outputs: {} };
  await expect(resource.update?.({ ...context(), undo }, "id", inputs(withoutKey), old)).rejects.toThrow(
    "the password of sftp:me@nas:/b is wrong; the previous password and keys were restored on the machine; " +
      "correct backup.password",
  );
  expect(Object.fromEntries(machine.files)).toEqual(before);
  expect(undo).toHaveBeenCalledOnce();
});

test("the files are secrets of the state", () => {
  expect(isSecret(backupAccessContract.inputs.shape.files)).toBe(true);
});

test("removes the files of another kind of repository", async () => {
  await resource.create(context(), inputs(files));
  await resource.update?.(context(), "id", inputs(withoutKey), { inputs: inputs(files), outputs: {} });
  expect(stored(KEY)).toBeUndefined();
  expect(stored("/etc/kubewright/backup-access/password")?.content).toBe("another\n");
});

test("a restic that does not start is named", async () => {
  machine.on(/restic version/, () => {
    throw new Error("cannot execute");
  });
  await expect(resource.create(context(), inputs(files))).rejects.toThrow("cannot execute");
});

test("a machine without restic gets everything again", async () => {
  await resource.create(context(), inputs(files));
  const read = () => resource.read?.(context(), "id", { inputs: inputs(files), outputs: {} });
  expect((await read())?.inputs.files).toEqual(files);
  machine.files.delete(RESTIC);
  expect((await read())?.inputs.files).toEqual({});
});

test("leaves no secret and no restic on the machine when it is deleted, and stops a run first", async () => {
  await resource.create(context(), inputs(files));
  scripts = [];
  await resource.delete?.(context(), "id", { inputs: inputs(files), outputs: {} });
  expect(scripts[0]).toMatch(
    /^systemctl stop (\S+ kubewright-\S+) .*\nsystemctl reset-failed \1 .*\nrm -rf .*\/scheduled\.\* /,
  );
  expect([...machine.files.keys()]).toEqual([ETCDUTL]);
});
