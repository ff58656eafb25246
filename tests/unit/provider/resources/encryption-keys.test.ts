import { expect, test } from "vitest";
import type { EncryptionKey } from "../../../../render/encryption";
import { encryptionKeysResource as resource } from "../../../../provider/resources/encryption-keys";
import { silentContext } from "../../../support/context";

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
