import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sshKeyResource } from "../../../../provider/resources/ssh-key";
import { testContext } from "../../../support/context";

let folder: string;
let path: string;
let warnings: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-ssh-key-"));
  path = join(folder, "id_ed25519");
  warnings = [];
});
afterEach(() => rm(folder, { recursive: true }));
const context = () => testContext({ warn: (message) => void warnings.push(message) });
const create = () => sshKeyResource.create(context(), { path, comment: "lab" });
const text = (file: string) => readFile(file, "utf8").catch(() => undefined);

test("a missing public key is derived from the private key, which stays as it is", async () => {
  const { outputs } = await create();
  const privateKey = await text(path);
  await rm(`${path}.pub`);
  expect((await create()).outputs.publicKey).toContain(String(outputs.publicKey).split(" ")[1]);
  expect(await text(path)).toBe(privateKey);
  expect(await text(`${path}.pub`)).toContain("ssh-ed25519 ");
});

test("a private key that cannot be read is not overwritten", async () => {
  await writeFile(path, "a key with a passphrase");
  await expect(create()).rejects.toThrow(/is not a private key that can be read; move it away/);
  expect(await text(path)).toBe("a key with a passphrase");
});

test("a refresh on a computer without the key keeps the recorded key, and warns", async () => {
  const old = { inputs: { path, comment: "lab" }, outputs: { publicKey: "ssh-ed25519 AAAA lab" } };
  expect(await sshKeyResource.read?.(context(), path, old)).toEqual(old);
  expect(warnings).toEqual([`${path} is not on this computer: copy it from the computer that created the cluster`]);
});

test("a delete removes the recorded key only", async () => {
  const { outputs } = await create();
  const inputs = { path, comment: "lab" };
  await sshKeyResource.delete?.(context(), path, { inputs, outputs: { publicKey: "ssh-ed25519 AAAA other" } });
  expect(await text(path)).toBeDefined();
  await sshKeyResource.delete?.(context(), path, { inputs, outputs });
  expect([await text(path), await text(`${path}.pub`)]).toEqual([undefined, undefined]);
});

test("an adoption records the key of this computer, and creates none", async () => {
  const adopt = () => sshKeyResource.adopt!(context(), { path, comment: "lab" });
  await expect(adopt()).rejects.toThrow(/id_ed25519 is not on this computer.*copy it from the computer/);
  expect(await text(path)).toBeUndefined();
  const { outputs } = await create();
  expect(await adopt()).toEqual({ id: path, outputs: { publicKey: String(outputs.publicKey).trim() } });
});
