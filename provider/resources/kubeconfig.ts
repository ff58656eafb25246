import { rm } from "node:fs/promises";
import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import type { Clock } from "../../common/clock";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { isSamePath, localPath } from "../../common/portable-path";
import { serverOf } from "../../render/kubeconfig-server";
import { sha256 } from "../host/files";
import { changeFile, readText, writeText } from "../kube/kubeconfig-file";
import { type EntryNames, KubeconfigDocument } from "../kube/kubeconfig-document";
import { type AdminEntries, chooseNames, hashEntries, putEntries } from "../kube/kubeconfig-merge";
import { putEndpoint, readAdminEntries, readEndpoint, removeEntries } from "../kube/kubeconfig-merge";
import { renewalWindow } from "../kubeadm/certificate-expiry";
import { RENEW_AFTER } from "../preview/notices";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";

type KubeconfigInputs = Inputs<typeof kubeconfigContract>;
type KubeconfigOutputs = Outputs<typeof kubeconfigContract>;
type ControlPlanes = Required<Pick<KubeconfigInputs, "controlPlanes" | "endpoints">>;
type KubeconfigReader = Pick<Context, "kube" | "signal" | "status">;
type RecordedKubeconfig = Recorded<KubeconfigInputs, KubeconfigOutputs>;

/** Entries of earlier versions were not recorded: then they are those that lead to the cluster. */
function recordedEntries(
  document: KubeconfigDocument,
  { inputs, outputs }: RecordedKubeconfig,
): EntryNames | undefined {
  return outputs.entries ?? document.entriesOf([inputs.caCertHash])[0];
}

/** Hashes of the CAs by which a file's entry is known as the recorded cluster's. */
function recordedHashes({ inputs, outputs }: RecordedKubeconfig): string[] {
  return [inputs.caCertHash, ...(outputs.authorities ?? [])];
}

/** Whether the recorded entries lead to the cluster of these inputs. */
function isSameCluster(inputs: KubeconfigInputs, old: RecordedKubeconfig): boolean {
  return inputs.caCertHash === old.inputs.caCertHash;
}

/**
 * Returns the control planes in the order in which they are tried: the one that the existing file names comes first, so
 * that the file changes only if that one is not ready.
 */
function preferCurrent({ controlPlanes, endpoints = [] }: KubeconfigInputs, current?: string): ControlPlanes {
  const first = Math.max(0, endpoints.indexOf(current ?? ""));
  const rotate = <T>(list: readonly T[]) => [...list.slice(first), ...list.slice(0, first)];
  return { controlPlanes: rotate(controlPlanes), endpoints: rotate(endpoints) };
}

/** Returns the address, `host:port`, at which the file has the cluster. */
function namedEndpoint(text: string, { caCertHash }: KubeconfigInputs, old?: RecordedKubeconfig): string | undefined {
  const document = KubeconfigDocument.parse(text);
  const names = document && (old ? recordedEntries(document, old) : document.entriesOf([caCertHash])[0]);
  return names && document ? readEndpoint(document, names) : undefined;
}

/** Reads the kubeconfig of a control plane that is ready. */
async function readAdminConf(
  { kube, signal }: KubeconfigReader,
  inputs: KubeconfigInputs,
  old?: RecordedKubeconfig,
): Promise<string> {
  const text = await readText(inputs.path);
  const { controlPlanes, endpoints } = preferCurrent(inputs, namedEndpoint(text ?? "", inputs, old));
  return await kube.adminKubeconfig(controlPlanes, signal, endpoints);
}

/**
 * Makes the file name a control plane whose API server is ready. Only the address changes, and only if the API server
 * at the present one is not ready: the credentials are valid at all of them.
 */
export async function selectReadyControlPlane(context: KubeconfigReader, old: RecordedKubeconfig): Promise<void> {
  const { path } = old.inputs;
  const endpoint = serverOf(await readAdminConf(context, old.inputs, old));
  await changeFile(context, path, async () => {
    const text = await readText(path);
    const document = KubeconfigDocument.parse(text ?? "");
    const names = document && recordedEntries(document, old);
    if (!document || !names || endpoint === undefined) return;
    putEndpoint(document, names, endpoint);
    if (document.toString() !== text) await writeText(path, document.toString());
  });
}

/** Writes the entries of a control plane's kubeconfig into the file. */
export async function writeKubeconfig(
  context: KubeconfigReader,
  inputs: KubeconfigInputs,
  old?: RecordedKubeconfig,
): Promise<KubeconfigOutputs> {
  const { path } = inputs;
  const adminConf = await readAdminConf(context, inputs, old);
  return await changeFile(context, path, async () => {
    const existing = await readText(path);
    const document = KubeconfigDocument.parse(existing ?? adminConf);
    if (!document) throw notKubeconfig(path);
    const admin = readAdminEntries(adminConf);
    if (existing === undefined) {
      await writeText(path, adminConf);
      return outputsOf(document, inputs, admin.names, true);
    }
    const { names, created } = mergeInto(document, admin, inputs, old);
    if (document.toString() !== existing) await writeText(path, document.toString());
    return outputsOf(document, inputs, names, created);
  });
}

/** Replaces the cluster's entries, or adds them. A file that has only these is one that Kubewright created. */
function mergeInto(
  document: KubeconfigDocument,
  admin: AdminEntries,
  inputs: KubeconfigInputs,
  old?: RecordedKubeconfig,
): { names: EntryNames; created: boolean } {
  const { caCertHash } = inputs;
  const recorded = old && recordedEntries(document, old);
  // The control plane's kubeconfig proves which CAs the cluster has now.
  const known = [caCertHash, ...admin.authorities, ...(old && isSameCluster(inputs, old) ? recordedHashes(old) : [])];
  if (recorded && document.hasCluster(recorded.cluster, known)) {
    putEntries(document, admin, recorded);
    return { names: recorded, created: old.outputs.created ?? true };
  }
  if (recorded) removeEntries(document, recorded, recordedHashes(old));
  const names = chooseNames(document, admin.names, caCertHash);
  const isLeftover = document.hasEntries(names, [caCertHash]) && document.isOnly(names);
  putEntries(document, admin, names);
  return { names, created: old ? (old.outputs.created ?? true) : isLeftover };
}

function outputsOf(
  document: KubeconfigDocument,
  { caCertHash }: KubeconfigInputs,
  entries: EntryNames,
  created: boolean,
): KubeconfigOutputs {
  const hashes = document.hashesOf(entries.cluster);
  const authorities = hashes.every((hash) => hash === caCertHash) ? undefined : hashes;
  return { sha256: hashEntries(document, entries) ?? "", entries, created, ...optional({ authorities }) };
}

function notKubeconfig(path: string): StepError {
  return new StepError({
    step: "writing the kubeconfig",
    cause: `${path} is not a kubeconfig`,
    action: "choose another path, or move the file away",
  });
}

/**
 * Whether the file has the entries that were written. It may name another control plane than then: see
 * `selectReadyControlPlane`. Earlier versions recorded the hash of the whole file.
 */
function isUnchanged(text: string, old: RecordedKubeconfig): boolean {
  if (sha256(text) === old.outputs.sha256) return true;
  const document = KubeconfigDocument.parse(text);
  const names = document && recordedEntries(document, old);
  if (!document || !names) return false;
  const endpoints = old.inputs.endpoints ?? [];
  const isChoice = endpoints.includes(readEndpoint(document, names) ?? "");
  const hashes = isChoice ? endpoints.map((endpoint) => hashEntries(document, names, endpoint)) : [];
  return [hashEntries(document, names), ...hashes].includes(old.outputs.sha256);
}

/** Whether the client certificate of the cluster's entries is one that the control plane renews now. */
function expiresSoon(text: string, old: RecordedKubeconfig, clock: Clock): boolean {
  const document = KubeconfigDocument.parse(text);
  const names = document && recordedEntries(document, old);
  const lifetime = names && document.clientCertificateLifetime(names.user);
  return lifetime !== undefined && lifetime.end.getTime() - clock.now() < renewalWindow(lifetime);
}

/** Whether the file has the entries of the control plane's kubeconfig. */
function hasEntriesOf(adminConf: string, text: string, old: RecordedKubeconfig): boolean {
  const document = KubeconfigDocument.parse(text);
  const names = document && recordedEntries(document, old);
  if (!document || !names) return false;
  const current = hashEntries(document, names);
  putEntries(document, readAdminEntries(adminConf), names);
  return current === hashEntries(document, names);
}

/** Whether the file has the credentials of a control plane, and names one whose API server is ready. */
async function isCurrent(context: KubeconfigReader, text: string, old: RecordedKubeconfig): Promise<boolean> {
  const { controlPlanes } = old.inputs;
  const adminConf = await readAdminConf(context, old.inputs, old).catch(() => undefined);
  // If no control plane answers, the resources on the control planes report it.
  if (adminConf === undefined) return isUnchanged(text, old);
  if (hasEntriesOf(adminConf, text, old)) return true;
  // The credentials may be those of another control plane: see `selectReadyControlPlane`.
  const endpoint = serverOf(adminConf) ?? "";
  for (const controlPlane of controlPlanes.length > 1 ? controlPlanes : []) {
    const other = await context.kube.adminKubeconfig([controlPlane], context.signal, [endpoint]).catch(() => undefined);
    if (other !== undefined && hasEntriesOf(other, text, old)) return true;
  }
  return false;
}

async function removeFromFile({ warn }: Context, old: RecordedKubeconfig): Promise<void> {
  const { path } = old.inputs;
  const text = await readText(path);
  if (text === undefined) return;
  const document = KubeconfigDocument.parse(text);
  if (!document) return warn(`${path} is not a kubeconfig: it was not changed`);
  const names = recordedEntries(document, old);
  if (!names || !removeEntries(document, names, recordedHashes(old)))
    return warn(`${path} has no entry of this cluster: it was not changed`);
  if (document.isEmpty && (old.outputs.created ?? true)) await rm(localPath(path), { force: true });
  else await writeText(path, document.toString());
}

/** Returns what an existing file has of the cluster. Where it is missing, a refresh finds that out. */
async function findKubeconfig(inputs: KubeconfigInputs): Promise<KubeconfigOutputs> {
  const text = await readText(inputs.path);
  const document = text === undefined ? undefined : KubeconfigDocument.parse(text);
  const [entries] = document?.entriesOf([inputs.caCertHash]) ?? [];
  return document && entries ? outputsOf(document, inputs, entries, document.isOnly(entries)) : { sha256: "" };
}

/** The administrator's access in a kubeconfig file on the computer that runs Pulumi. */
const kubeconfig: Handler<typeof kubeconfigContract> = {
  contract: kubeconfigContract,
  replaceOn: ["path"],
  isProtected: ({ path = "" }, old) => isSamePath(old.path ?? "", path),
  rare: ["restoredFrom"],
  ignore: ["controlPlanes"],
  create: async (context, inputs) => ({ id: inputs.path, outputs: await writeKubeconfig(context, inputs) }),
  adopt: async (_context, inputs) => ({ id: inputs.path, outputs: await findKubeconfig(inputs) }),
  update: (context, _id, inputs, old) => writeKubeconfig(context, inputs, old),
  async read(context, _id, old) {
    const { path } = old.inputs;
    const text = await readText(path);
    // Another computer may have written the file: the next `up` writes it here.
    if (text === undefined) return old;
    const { problem: _, ...rest } = old.inputs;
    const problem = (await isCurrent(context, text, old))
      ? {}
      : { problem: `${path} differs from the control plane's kubeconfig` };
    return { inputs: { ...rest, ...problem }, outputs: old.outputs };
  },
  async extraChanges({ path }, old, { clock, isRefresh }) {
    const text = await readText(path);
    if (text === undefined) return isRefresh ? [] : ["sha256"];
    if (!isUnchanged(text, old)) return ["sha256"];
    return expiresSoon(text, old, clock) ? [RENEW_AFTER] : [];
  },
  async delete(context, _id, old) {
    if ((await readText(old.inputs.path)) === undefined) return;
    await changeFile(context, old.inputs.path, () => removeFromFile(context, old));
  },
};

export const kubeconfigResource = register(kubeconfig);
