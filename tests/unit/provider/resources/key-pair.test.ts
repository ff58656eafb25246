import "reflect-metadata";
import { createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import { keyPairResource } from "../../../../provider/resources/key-pair";
import { silentContext } from "../../../support/context";

test("the public key belongs to the private key, and each resource has its own pair", async () => {
  const create = async () =>
    (await keyPairResource.create(silentContext, {})).outputs as { privateKey: string; publicKey: string };
  const [one, other] = [await create(), await create()];
  const derived = createPublicKey(one.privateKey).export({ type: "spki", format: "pem" });
  expect(one.publicKey.trim()).toBe(String(derived).trim());
  expect(other.privateKey).not.toBe(one.privateKey);
});
