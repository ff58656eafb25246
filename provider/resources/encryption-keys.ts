import { randomBytes } from "node:crypto";
import type { Inputs } from "../../contracts/contract";
import { encryptionKeysContract } from "../../contracts/pki/encryption-keys";
import { StepError } from "../../common/errors";
import { ENCRYPTION_FILE, keysOf, type EncryptionKey } from "../../render/encryption";
import { readConfiguration } from "../kubeadm/encryption-config";
import { register, type Context, type Handler } from "../rpc/handler";

type KeysInputs = Inputs<typeof encryptionKeysContract>;
const KEY_BYTES = 32;

/** Returns the keys with a new one before them. */
function withNewKey({ provider }: KeysInputs, keys: readonly EncryptionKey[]): EncryptionKey[] {
  if (provider === "identity") return [...keys];
  const secret = randomBytes(KEY_BYTES).toString("base64");
  return [{ name: `key${keys.length + 1}`, provider, secret }, ...keys];
}

/** Reads the keys from a control plane: the lost state was their only other place. */
async function readKeys(context: Context, inputs: KeysInputs): Promise<EncryptionKey[]> {
  const machine = context.connections.get(requireConnection(inputs));
  const text = await readConfiguration(machine, ENCRYPTION_FILE, context.signal);
  const keys = text === undefined ? [] : keysOf(text);
  const problem = text === undefined ? `${ENCRYPTION_FILE} is missing` : findKeyProblem(inputs, keys);
  if (problem === undefined) return keys;
  throw new StepError({
    step: "reading the encryption keys",
    machine: machine.label,
    cause: problem,
    action: "set security.encryption in the configuration to what the cluster has",
  });
}

function requireConnection({ controlPlane }: KeysInputs): NonNullable<KeysInputs["controlPlane"]> {
  if (controlPlane) return controlPlane;
  throw new StepError({
    step: "reading the encryption keys",
    cause: "the resource names no control plane to read them from",
    action: "set its property controlPlane",
  });
}

/** A key of another provider, or a missing one, would add a key. The message names no key. */
function findKeyProblem({ provider, generation }: KeysInputs, keys: readonly EncryptionKey[]): string | undefined {
  if (provider === "identity") return undefined;
  const newest = keys[0]?.provider;
  if (newest !== provider)
    return `its newest key is ${newest ? `of ${newest}` : "missing"}, and security.encryption.provider is ${provider}`;
  return keys.length < generation
    ? `it has ${keys.length} keys, and security.encryption.keyGeneration is ${generation}`
    : undefined;
}

/** Keys by which Secrets are encrypted in etcd, kept in the state only. */
const encryptionKeys: Handler<typeof encryptionKeysContract> = {
  contract: encryptionKeysContract,
  ignore: ["controlPlane"],
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
  async adopt(context, inputs) {
    return { id: context.name, outputs: { keys: await readKeys(context, inputs) } };
  },
  async update(_context, _id, inputs, { inputs: old, outputs }) {
    const { keys = [] } = outputs;
    const isSame = inputs.generation === old.generation && inputs.provider === keys[0]?.provider;
    return { keys: isSame ? keys : withNewKey(inputs, keys) };
  },
};

export const encryptionKeysResource = register(encryptionKeys);
