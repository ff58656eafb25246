import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { obtainMachineRestic } from "../../../../artifacts/restic";
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
    .on(/systemctl stop/, run(""));
});
afterEach(() => vi.clearAllMocks());

const context = () => machine.context({ cachedFiles: { obtain: (path: string) => Promise.resolve(path) } as never });
const inputs = (own: typeof files) => ({ ...machine.target, files: own, etcdutl });
const stored = (path: string) => machine.files.get(path);

test("copies restic of the machine's architecture, etcdutl, and the files for root only", async () => {
  await resource.create(context(), inputs(files));
  expect(vi.mocked(obtainMachineRestic).mock.calls[0]?.[0]).toBe("arm64");
  expect(stored(RESTIC)).toMatchObject({ content: "restic", mode: "0755" });
  expect(stored(ETCDUTL)).toMatchObject({ content: "etcdutl", mode: "0755" });
  expect(stored(KEY)).toEqual({ content: "KEY\n", mode: "0600" });
  for (const path of Object.keys(files)) expect(stored(path)?.mode).toBe("0600");
});

test("the files are secrets of the state", () => {
  expect(isSecret(resource.contract.inputs.shape.files)).toBe(true);
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
  expect(scripts[0]).toMatch(/^systemctl stop kubewright-backup\.service.*\nrm -rf .*\/scheduled\.\* /);
  expect([...machine.files.keys()]).toEqual([ETCDUTL]);
});
