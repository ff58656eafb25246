import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { secretOutputNames } from "../../../../contracts/contract";
import { sshKeyResource } from "../../../../provider/resources/ssh-key";
import { testContext } from "../../../support/context";

const written = vi.hoisted((): string[] => []);
vi.mock("node:fs/promises", async (original) => {
  const real = await original<{ writeFile: typeof writeFile }>();
  const recorded = (file: string, ...rest: [string]) => (written.push(file), real.writeFile(file, ...rest));
  return { ...real, writeFile: recorded };
});

let folder: string;
let path: string;
let warnings: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-ssh-key-"));
  path = join(folder, "keys", "id_ed25519");
  warnings = [];
});
afterEach(() => rm(folder, { recursive: true }));
const context = () => testContext({ warn: (message) => void warnings.push(message) });
const inputsAt = (place = path) => ({ path: place, comment: "lab" });
const create = () => sshKeyResource.create(context(), inputsAt());
const text = (file: string) => readFile(file, "utf8").catch(() => undefined);
const removeFiles = () => rm(join(folder, "keys"), { recursive: true });

/** The key as version 1 recorded it. */
async function createVersion1() {
  const { outputs } = await create();
  return { inputs: inputsAt(), outputs: { publicKey: (outputs as { publicKey: string }).publicKey } };
}

test("the private key is a secret of the state, and the file is a copy of it", async () => {
  const { outputs } = await create();
  expect(outputs).toEqual({ privateKey: await text(path), publicKey: (await text(`${path}.pub`))?.trim() });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(secretOutputNames(sshKeyResource.contract)).toEqual(["privateKey"]);
});

test("the private key's file appears with its whole content, for a connection that waits for it", async () => {
  written.length = 0;
  await create();
  expect(written.map((file) => file === path)).toEqual([false, false]);
  expect((await readdir(join(folder, "keys"))).sort()).toEqual(["id_ed25519", "id_ed25519.pub"]);
});

test("a missing public key is derived from the private key, which stays as it is", async () => {
  const { outputs } = await create();
  const privateKey = await text(path);
  await rm(`${path}.pub`);
  expect((await create()).outputs.publicKey).toContain(String(outputs.publicKey).split(" ")[1]);
  expect(await text(path)).toBe(privateKey);
  expect(await text(`${path}.pub`)).toContain("ssh-ed25519 ");
});

test("a private key that cannot be read is not overwritten", async () => {
  await create();
  await rm(`${path}.pub`);
  await writeFile(path, "a key with a passphrase");
  await expect(create()).rejects.toThrow(/is not a private key that can be read; move it away/);
  expect(await text(path)).toBe("a key with a passphrase");
});

test.each(["read", "extraChanges"] as const)(
  "%s writes the key on a computer without it, and no change",
  async (step) => {
    const { outputs } = await create();
    const old = { inputs: inputsAt(), outputs };
    await removeFiles();
    if (step === "read") expect(await sshKeyResource.read!(context(), path, old)).toEqual(old);
    else expect(await sshKeyResource.extraChanges!(inputsAt(), old, context())).toEqual([]);
    expect({ privateKey: await text(path), publicKey: (await text(`${path}.pub`))?.trim() }).toEqual(outputs);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  },
);

test("another key at the path is neither overwritten nor used", async () => {
  const { outputs } = await create();
  await removeFiles();
  const other = (await create()).outputs as { privateKey: string };
  const old = { inputs: inputsAt(), outputs };
  expect(await sshKeyResource.read!(context(), path, old)).toEqual(old);
  expect(await text(path)).toBe(other.privateKey);
});

test("another path moves the files, and the key stays the same", async () => {
  const { outputs } = await create();
  const moved = join(folder, "moved", "id");
  const old = { inputs: inputsAt(), outputs };
  expect(await sshKeyResource.update!(context(), path, inputsAt(moved), old)).toEqual(outputs);
  expect([await text(path), await text(`${path}.pub`)]).toEqual([undefined, undefined]);
  expect(await text(moved)).toBe((outputs as { privateKey: string }).privateKey);
});

test("a state of version 1 gets the private key of the file", async () => {
  const old = await createVersion1();
  const expected = { ...old.outputs, privateKey: await text(path) };
  expect(await sshKeyResource.extraChanges!(inputsAt(), old, context())).toEqual(["privateKey"]);
  expect(await sshKeyResource.update!(context(), path, inputsAt(), old)).toEqual(expected);
});

test("a state of version 1 on a computer without the key is kept, and the next action is named", async () => {
  const old = await createVersion1();
  await removeFiles();
  expect(await sshKeyResource.read!(context(), path, old)).toEqual(old);
  const missing = `${path} is not on this computer: copy it from the computer that created the cluster`;
  expect(warnings).toEqual([missing]);
  await expect(sshKeyResource.update!(context(), path, inputsAt(), old)).rejects.toThrow(/copy it from the computer/);
  expect(await text(path)).toBeUndefined();
});

test("a delete removes the recorded key only", async () => {
  const { outputs } = await create();
  const other = { ...outputs, publicKey: "ssh-ed25519 AAAA other" };
  await sshKeyResource.delete?.(context(), path, { inputs: inputsAt(), outputs: other });
  expect(await text(path)).toBeDefined();
  await sshKeyResource.delete?.(context(), path, { inputs: inputsAt(), outputs });
  expect([await text(path), await text(`${path}.pub`)]).toEqual([undefined, undefined]);
});

test("an adoption records the key of this computer, and creates none", async () => {
  const adopt = () => sshKeyResource.adopt!(context(), inputsAt());
  await expect(adopt()).rejects.toThrow(/id_ed25519 is not on this computer.*copy it from the computer/);
  expect(await text(path)).toBeUndefined();
  const { outputs } = await create();
  expect(await adopt()).toEqual({ id: path, outputs });
});
