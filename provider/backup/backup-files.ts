import { readFile, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { sha256Of } from "../../artifacts/hash";
import { PKI } from "../../render/component-paths";
import { ENCRYPTION_FILE, joinConfigurations } from "../../render/encryption";
import type { OutgoingFile } from "../host/archive";
import { readContents, textFile } from "../host/files";
import { pemBlocks } from "../pki/pem";
import type { Remote } from "../ssh/remote";
import { MACHINE_FOLDER } from "../../render/backup/content";

const CA_CERTIFICATE = `${PKI}/ca.crt`;

/** Lists the files of a backup that belong on a control plane. */
export async function listMachineFiles(folder: string): Promise<OutgoingFile[]> {
  return await Promise.all((await listAllFiles(folder)).map(withSingleAuthority));
}

/**
 * A backup from the middle of a rotation of CAs has a bundle, with which the controller manager that `kubeadm init`
 * starts could not sign. The first certificate is the one whose key is in the backup; the rotation begins again.
 */
async function withSingleAuthority(file: OutgoingFile): Promise<OutgoingFile> {
  const { path, mode, body } = file;
  if (path !== CA_CERTIFICATE || typeof body === "string") return file;
  const [first, ...others] = pemBlocks(await readFile(body.source, "utf8"));
  return first === undefined || others.length === 0 ? file : textFile(path, first, mode);
}

async function listAllFiles(folder: string): Promise<OutgoingFile[]> {
  const root = join(folder, MACHINE_FOLDER);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const source = join(entry.parentPath, entry.name);
        const [sha256, { size }] = await Promise.all([sha256Of(source), stat(source)]);
        const mode = entry.name.endsWith(".crt") ? "0644" : "0600";
        return { path: `/${relative(root, source)}`, mode, sha256, size, body: { source } };
      }),
  );
}

/**
 * Returns the files that the machine still needs: what the configuration has written there stays. Encryption keys of
 * both are kept, because the API server needs the backup's to read, and writes with the configuration's.
 */
export async function withoutOwnFiles(
  machine: Remote,
  files: readonly OutgoingFile[],
  signal: AbortSignal,
): Promise<OutgoingFile[]> {
  const configured = files.map(({ path }) => path).filter((path) => !path.startsWith(`${PKI}/`));
  const own = await readContents(machine, configured, signal);
  const all = await Promise.all(files.map((file) => besideOwn(file, own.get(file.path))));
  return all.flatMap((file) => file ?? []);
}

async function besideOwn(file: OutgoingFile, own: string | undefined): Promise<OutgoingFile | undefined> {
  const { path, mode, body } = file;
  if (own === undefined) return file;
  if (path !== ENCRYPTION_FILE) return undefined;
  const text = typeof body === "string" ? body : await readFile(body.source, "utf8");
  return textFile(path, joinConfigurations(own, text), mode);
}
