import { chmod, link, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { utils } from "ssh2";
import type { Inputs, Outputs } from "../../contracts/contract";
import { sshKeyContract } from "../../contracts/local/ssh-key";
import { StepError } from "../../common/errors";
import { isSamePath, localPath } from "../../common/portable-path";
import { readText } from "../kube/kubeconfig-file";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";
import { newKeyPair } from "../ssh/key-pair";

type SshKeyInputs = Inputs<typeof sshKeyContract>;
type KeyPair = Outputs<typeof sshKeyContract>;
type RecordedKey = Recorded<SshKeyInputs, Partial<KeyPair>>;

/** Returns the key pair at a path, whose public key may be missing; undefined if there is no private key. */
async function readKeyPair({ path, comment }: SshKeyInputs): Promise<KeyPair | undefined> {
  const [privateKey, publicKey] = await Promise.all([readText(path), readText(`${path}.pub`)]);
  if (privateKey === undefined) return undefined;
  return { privateKey, publicKey: publicKey?.trim() || derivePublicKey(path, privateKey, comment) };
}

function derivePublicKey(path: string, privateKey: string, comment: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error)
    throw new StepError({
      step: "reading the SSH key",
      cause: `${localPath(path)} is not a private key that can be read`,
      action: "move it away, then run `pulumi up` again",
    });
  return `${key.type} ${key.getPublicSSH().toString("base64")} ${comment}`.trim();
}

/** Writes the files of a key pair that are missing. An existing private key is never overwritten. */
async function writeKeyPair(path: string, { privateKey, publicKey }: KeyPair): Promise<void> {
  const file = localPath(path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await placeNewFile(file, privateKey);
  await chmod(file, 0o600);
  await writeFile(`${file}.pub`, `${publicKey.trim()}\n`);
}

/** Creates a file with its whole content, which a connection may already wait for. An existing file stays. */
async function placeNewFile(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, content, { mode: 0o600 });
  try {
    await link(temporary, file); // a rename would replace an existing file
  } catch (error) {
    // A file system without hard links has no way to do both.
    if (!isExisting(error)) await writeFile(file, content, { mode: 0o600, flag: "wx" }).catch(ignoreExisting);
  } finally {
    await rm(temporary, { force: true });
  }
}

const isExisting = (error: unknown) => (error as NodeJS.ErrnoException).code === "EEXIST";

function ignoreExisting(error: unknown): void {
  if (!isExisting(error)) throw error;
}

/**
 * Returns the key pair, and creates it if there is none. A private key at the path is used, because an interrupted run
 * may have installed it on machines.
 */
async function ensureKey({ begin }: Context, inputs: SshKeyInputs): Promise<KeyPair> {
  const existing = await readKeyPair(inputs);
  if (existing === undefined) {
    const { private: privateKey, public: publicKey } = newKeyPair(inputs.comment);
    begin(inputs.path, { privateKey, publicKey });
    await writeKeyPair(inputs.path, { privateKey, publicKey });
    return { privateKey, publicKey };
  }
  await writeKeyPair(inputs.path, existing);
  return existing;
}

/** Returns the recorded key pair. States of version 1 have the public key only: the private one is in the file. */
async function recordedPair({ inputs, outputs }: RecordedKey): Promise<KeyPair | undefined> {
  const { privateKey, publicKey } = outputs;
  if (privateKey !== undefined && publicKey !== undefined) return { privateKey, publicKey };
  const existing = await readKeyPair(inputs);
  return existing && isSamePublicKey(existing.publicKey, publicKey) ? existing : undefined;
}

/** Writes the key pair of the state into its files on a computer that does not have them. */
export async function restoreKeyFiles(
  { path, comment }: SshKeyInputs,
  { privateKey, publicKey }: Partial<KeyPair>,
): Promise<void> {
  if (privateKey === undefined || publicKey === undefined) return;
  if ((await readKeyPair({ path, comment })) === undefined) await writeKeyPair(path, { privateKey, publicKey });
}

/** Whether two public keys are the same, whatever their comments are. */
function isSamePublicKey(one: string | undefined, other: string | undefined): boolean {
  const body = (key: string) => key.trim().split(/\s+/)[1];
  return one !== undefined && other !== undefined && body(one) === body(other);
}

function missingKey(path: string): StepError {
  return new StepError({
    step: "reading the SSH key",
    cause: `${localPath(path)} is not on this computer, and the machines accept no other key`,
    action: "copy it from the computer that created the cluster, or from a backup of that folder",
  });
}

/** Deletes the files of the recorded key only, not of another one at its path. */
async function removeFiles({ warn }: Pick<Context, "warn">, { inputs, outputs }: RecordedKey): Promise<void> {
  const file = localPath(inputs.path);
  const existing = await readKeyPair(inputs).catch(() => undefined);
  if (existing === undefined) return;
  if (!isSamePublicKey(existing.publicKey, outputs.publicKey))
    return warn(`${file} is not the recorded key: it was not deleted`);
  await Promise.all([rm(file, { force: true }), rm(`${file}.pub`, { force: true })]);
}

/** An ed25519 key pair for one cluster. The private key is a secret of the state, so every computer can log in. */
const sshKey: Handler<typeof sshKeyContract> = {
  contract: sshKeyContract,
  replaceOn: [],
  ignore: ["comment"],
  async create(context, inputs) {
    return { id: inputs.path, outputs: await ensureKey(context, inputs) };
  },
  async adopt(_context, inputs) {
    const outputs = await readKeyPair(inputs);
    if (outputs === undefined) throw missingKey(inputs.path);
    return { id: inputs.path, outputs };
  },
  async update(context, _id, inputs, old) {
    const same = { ...old, inputs: isSamePath(old.inputs.path, inputs.path) ? inputs : old.inputs };
    const pair = await recordedPair(same);
    if (!pair) throw missingKey(same.inputs.path);
    await writeKeyPair(inputs.path, pair);
    if (same.inputs.path !== inputs.path) await removeFiles(context, old);
    return pair;
  },
  /** The files are a copy of the state: a refresh on another computer writes them, and finds no difference. */
  async read({ warn }, _id, old) {
    await restoreKeyFiles(old.inputs, old.outputs);
    const pair = await recordedPair(old);
    if (pair) return { inputs: old.inputs, outputs: pair };
    warn(`${localPath(old.inputs.path)} is not on this computer: copy it from the computer that created the cluster`);
    return old;
  },
  /** Plans an update of a state of version 1, which has no private key. */
  async extraChanges(inputs, old) {
    await restoreKeyFiles(inputs, old.outputs);
    return (old.outputs as Partial<KeyPair>).privateKey === undefined ? ["privateKey"] : [];
  },
  delete: (context, _id, old) => removeFiles(context, old),
};

export const sshKeyResource = register(sshKey);
