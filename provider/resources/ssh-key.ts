import type { Inputs } from "../../contracts/contract";
import { sshKeyContract } from "../../contracts/local/ssh-key";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { register, type Handler } from "../rpc/handler";
import { newKeyPair } from "../ssh/key-pair";

type SshKeyInputs = Inputs<typeof sshKeyContract>;

async function publicKeyAt(path: string): Promise<string | undefined> {
  const [secret, open] = await Promise.all([
    readFile(path).catch(() => undefined),
    readFile(`${path}.pub`, "utf8").catch(() => undefined),
  ]);
  return secret && open?.trim();
}

/** A key that is there is used: an interrupted run may have given it to machines already. */
async function ensure({ path, comment }: SshKeyInputs): Promise<string> {
  const there = await publicKeyAt(path);
  if (there) return there;
  const pair = newKeyPair(comment);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, pair.private, { mode: 0o600 });
  await chmod(path, 0o600);
  await writeFile(`${path}.pub`, `${pair.public}\n`);
  return pair.public;
}

/** An ed25519 key pair, made for one cluster. The state holds its path and the public half only. */
const sshKey: Handler<typeof sshKeyContract> = {
  contract: sshKeyContract,
  replaceOn: ["path"],
  ignore: ["comment"],
  async create(_context, inputs) {
    return { id: inputs.path, outputs: { publicKey: await ensure(inputs) } };
  },
  async update(_context, _id, inputs) {
    return { publicKey: await ensure(inputs) };
  },
  async read(_context, _id, old) {
    const publicKey = await publicKeyAt(old.inputs.path);
    return publicKey ? { inputs: old.inputs, outputs: { publicKey } } : undefined;
  },
  async delete(_context, _id, { inputs }) {
    await Promise.all([rm(inputs.path, { force: true }), rm(`${inputs.path}.pub`, { force: true })]);
  },
};

export const sshKeyResource = register(sshKey);
