import { beforeEach, describe, expect, test } from "vitest";
import type { EncryptionKey } from "../../../../render/encryption";
import { encryptionKeysResource as resource } from "../../../../provider/resources/encryption-keys";
import { ENCRYPTION_FILE, writingConfiguration } from "../../../../render/encryption";
import { createProviderContext } from "../../../../provider/context/context";
import { silentContext } from "../../../support/context";
import { MemoryEngine } from "../../../support/memory-engine";
import { MemoryMachine } from "../../../support/memory-machine";
import { UNKNOWN_STRING } from "../rpc/requests";

const inputs = { provider: "secretbox", generation: 1 };
type Keys = { keys: EncryptionKey[] };

async function create(): Promise<Keys> {
  return (await resource.create(silentContext, inputs)).outputs as Keys;
}

async function change(outputs: Keys, next: Record<string, unknown>): Promise<Keys> {
  return (await resource.update?.(silentContext, "keys", next, { inputs, outputs })) as Keys;
}

test("a new cluster has one key of 32 random bytes", async () => {
  const [one, other] = [await create(), await create()];
  expect(one.keys).toMatchObject([{ name: "key1", provider: "secretbox" }]);
  expect(Buffer.from(one.keys[0]?.secret ?? "", "base64")).toHaveLength(32);
  expect(other.keys[0]?.secret).not.toBe(one.keys[0]?.secret);
});

test.each([
  ["a higher generation", { ...inputs, generation: 2 }, "secretbox"],
  ["another provider", { ...inputs, provider: "aesgcm" }, "aesgcm"],
])("%s adds a key and keeps the earlier one", async (_what, next, provider) => {
  const before = await create();
  const { keys } = await change(before, next);
  expect(keys).toMatchObject([{ name: "key2", provider }, before.keys[0]]);
});

test("plain text again needs no key, and keeps the earlier one", async () => {
  const before = await create();
  expect(await change(before, { ...inputs, provider: "identity" })).toEqual(before);
});

test("a lower generation is refused", () => {
  const problems = resource.findImpossibleChanges?.({ generation: 1 }, { generation: 2 });
  expect(problems).toMatchObject([{ path: "security.encryption.keyGeneration" }]);
  expect(resource.findImpossibleChanges?.({ generation: 2 }, { generation: 1 })).toEqual([]);
});

describe("an adoption", () => {
  const newest = { name: "key2", provider: "secretbox" as const, secret: "bmV3ZXN0" };
  const older = { name: "key1", provider: "aesgcm" as const, secret: "b2xkZXI=" };
  let machine: MemoryMachine;
  const writes = (provider: "secretbox" | "aesgcm" | "identity", keys: EncryptionKey[]) =>
    machine.files.set(ENCRYPTION_FILE, { content: writingConfiguration({ provider, keys }), mode: "0600" });
  const adopt = (changes: object = {}) =>
    resource.adopt!(machine.context(), { ...inputs, controlPlane: machine.connection, ...changes });
  beforeEach(() => {
    machine = new MemoryMachine();
    writes("secretbox", [newest, older]);
  });

  test("reads the keys from the control plane, the newest first", async () => {
    expect(await adopt({ generation: 2 })).toEqual({ id: "a-test", outputs: { keys: [newest, older] } });
  });

  test("reads the keys of a cluster that writes plain text again", async () => {
    writes("identity", [newest, older]);
    expect((await adopt({ provider: "identity", generation: 2 })).outputs).toEqual({ keys: [newest, older] });
  });

  test.each<[string, object, RegExp]>([
    [
      "another provider",
      { provider: "aesgcm" },
      /newest key is of secretbox, and security\.encryption\.provider is aesgcm/,
    ],
    ["more keys", { generation: 3 }, /has 2 keys, and security\.encryption\.keyGeneration is 3/],
    ["no control plane", { controlPlane: undefined }, /names no control plane/],
  ])("is refused where the configuration has %s, and no message has a key", async (_what, changes, message) => {
    const error = await adopt(changes).catch((one: Error) => one.message);
    expect(error).toMatch(message);
    expect(error).not.toContain(newest.secret);
  });

  test("is refused where the control plane encrypts nothing", async () => {
    machine.files.clear();
    await expect(adopt()).rejects.toThrow(/config\.yaml is missing; set security\.encryption/);
  });
});

test("another connection to the control plane, or one that is not known yet, keeps the keys", async () => {
  const engine = new MemoryEngine(resource, createProviderContext);
  await engine.up(inputs);
  const keys = engine.state?.outputs.keys;
  for (const controlPlane of [{ host: "10.0.0.1" }, UNKNOWN_STRING, { host: "10.0.0.2" }])
    expect(await engine.up({ ...inputs, controlPlane })).toEqual([]);
  expect(engine.state?.outputs.keys).toEqual(keys);
});
