import { randomBytes } from "node:crypto";
import type { Inputs } from "../../contracts/contract";
import { encryptionKeysContract } from "../../contracts/pki/encryption-keys";
import type { EncryptionKey } from "../../render/encryption";
import { register, type Handler } from "../rpc/handler";

const KEY_BYTES = 32;

/** Returns the keys with a new one before them. */
function withNewKey(
  { provider }: Inputs<typeof encryptionKeysContract>,
  keys: readonly EncryptionKey[],
): EncryptionKey[] {
  if (provider === "identity") return [...keys];
  const secret = randomBytes(KEY_BYTES).toString("base64");
  return [{ name: `key${keys.length + 1}`, provider, secret }, ...keys];
}

/** Keys by which Secrets are encrypted in etcd, kept in the state only. */
const encryptionKeys: Handler<typeof encryptionKeysContract> = {
  contract: encryptionKeysContract,
  findImpossibleChanges({ generation }, old) {
    if (generation === undefined || old.generation === undefined || generation >= old.generation) return [];
    const reason =
      `cannot decrease from ${old.generation} to ${generation}, because Secrets are encrypted with the newer key; ` +
      "set it back";
    return [{ path: "security.encryption.keyGeneration", reason }];
  },
  async create(context, inputs) {
    return { id: context.name, outputs: { keys: withNewKey(inputs, []) } };
  },
  async update(_context, _id, inputs, { inputs: old, outputs }) {
    const { keys = [] } = outputs;
    const isSame = inputs.generation === old.generation && inputs.provider === keys[0]?.provider;
    return { keys: isSame ? keys : withNewKey(inputs, keys) };
  },
};

export const encryptionKeysResource = register(encryptionKeys);
