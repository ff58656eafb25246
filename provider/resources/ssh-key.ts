import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { utils } from "ssh2";
import type { Inputs } from "../../contracts/contract";
import { sshKeyContract } from "../../contracts/local/ssh-key";
import { StepError } from "../../common/errors";
import { register, type Context, type Handler } from "../rpc/handler";
import { newKeyPair } from "../ssh/key-pair";

type SshKeyInputs = Inputs<typeof sshKeyContract>;

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Returns the public key beside the private one, or derives it; undefined if there is no private key. */
async function readPublicKey({ path, comment }: SshKeyInputs): Promise<string | undefined> {
  const [privateKey, publicKey] = await Promise.all([readText(path), readText(`${path}.pub`)]);
  if (privateKey === undefined) return undefined;
  return publicKey?.trim() || derivePublicKey(path, privateKey, comment);
}

function derivePublicKey(path: string, privateKey: string, comment: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error)
    throw new StepError({
      step: "reading the SSH key",
      cause: `${path} is not a private key that can be read`,
      action: "move it away, then run `pulumi up` again",
    });
  return `${key.type} ${key.getPublicSSH().toString("base64")} ${comment}`.trim();
}

/**
 * Returns the public key of the key pair, and creates the missing files. An existing private key is never overwritten,
 * because an interrupted run may have installed it on machines.
 */
async function ensureKey({ begin }: Context, inputs: SshKeyInputs): Promise<string> {
  const { path, comment } = inputs;
  const existing = await readPublicKey(inputs);
  if (existing !== undefined) {
    await writeFile(`${path}.pub`, `${existing}\n`);
    return existing;
  }
  const pair = newKeyPair(comment);
  begin(path, { publicKey: pair.public });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, pair.private, { mode: 0o600, flag: "wx" });
  await chmod(path, 0o600);
  await writeFile(`${path}.pub`, `${pair.public}\n`);
  return pair.public;
}

/** Whether two public keys are the same, whatever their comments are. */
function isSamePublicKey(one: string | undefined, other: string): boolean {
  const body = (key: string) => key.trim().split(/\s+/)[1];
  return one !== undefined && body(one) === body(other);
}

/** An ed25519 key pair for one cluster. The state holds its path and its public key only. */
const sshKey: Handler<typeof sshKeyContract> = {
  contract: sshKeyContract,
  replaceOn: ["path"],
  ignore: ["comment"],
  async create(context, inputs) {
    return { id: inputs.path, outputs: { publicKey: await ensureKey(context, inputs) } };
  },
  async adopt(_context, inputs) {
    const publicKey = await readPublicKey(inputs);
    if (publicKey !== undefined) return { id: inputs.path, outputs: { publicKey } };
    throw new StepError({
      step: "reading the SSH key",
      cause: `${inputs.path} is not on this computer, and the machines accept no other key`,
      action: "copy it from the computer that created the cluster, or from a backup of that folder",
    });
  },
  async update(context, _id, inputs) {
    return { publicKey: await ensureKey(context, inputs) };
  },
  /** Another computer does not have the key. A new key would not open the machines, so the recorded one is kept. */
  async read({ warn }, _id, old) {
    const publicKey = await readPublicKey(old.inputs);
    if (publicKey !== undefined) return { inputs: old.inputs, outputs: { publicKey } };
    warn(`${old.inputs.path} is not on this computer: copy it from the computer that created the cluster`);
    return old;
  },
  /** Deletes only the key that is recorded, not another one at its path. */
  async delete({ warn }, _id, { inputs, outputs }) {
    const publicKey = await readPublicKey(inputs).catch(() => undefined);
    if (publicKey !== undefined && !isSamePublicKey(publicKey, outputs.publicKey))
      return warn(`${inputs.path} is not the recorded key: it was not deleted`);
    if (publicKey === undefined) return;
    await Promise.all([rm(inputs.path, { force: true }), rm(`${inputs.path}.pub`, { force: true })]);
  },
};

export const sshKeyResource = register(sshKey);
