import { StepError, messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { FORMER_AUTHORITIES, PKI } from "../../render/component-paths";
import { readContents, writeFiles, textFile } from "../host/files";
import { knownHashes } from "../pki/former-authorities";
import { SIGNING_CERTIFICATE } from "./signing-file";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const STEP = "copying the control plane's keys";
const CA_CERTIFICATE = `${PKI}/ca.crt`;

/**
 * Files that all control planes share. kubeadm creates the rest of the PKI on each control plane.
 * https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#manual-certs
 */
const SHARED_FILES = [
  { path: CA_CERTIFICATE, mode: "0644" },
  { path: `${PKI}/ca.key`, mode: "0600" },
  { path: `${PKI}/sa.pub`, mode: "0600" },
  { path: `${PKI}/sa.key`, mode: "0600" },
  { path: `${PKI}/front-proxy-ca.crt`, mode: "0644" },
  { path: `${PKI}/front-proxy-ca.key`, mode: "0600" },
  { path: `${PKI}/etcd/ca.crt`, mode: "0644" },
  { path: `${PKI}/etcd/ca.key`, mode: "0600" },
] as const;

/** Files of a rotation of CAs, which most clusters do not have. */
const ROTATION_FILES = [
  { path: SIGNING_CERTIFICATE, mode: "0644" },
  { path: FORMER_AUTHORITIES, mode: "0644" },
] as const;

/**
 * Lets a machine know the former CAs of the cluster that it is about to join: its join gives it the present one only.
 * They come from the first control plane that answers.
 */
export async function copyFormerAuthorities(
  { signal, connections }: Pick<Context, "signal" | "connections">,
  { from, to }: { from: readonly Connection[]; to: Remote },
): Promise<void> {
  const former = await readFormer({ signal, connections }, from);
  if (former !== undefined) await writeFiles(to, [textFile(FORMER_AUTHORITIES, former, "0644")], STEP, signal);
}

async function readFormer(
  { signal, connections }: Pick<Context, "signal" | "connections">,
  from: readonly Connection[],
): Promise<string | undefined> {
  for (const connection of from) {
    try {
      return (await readContents(connections.get(connection), [FORMER_AUTHORITIES], signal)).get(FORMER_AUTHORITIES);
    } catch {
      signal.throwIfAborted(); // The join reports it when no control plane answers.
    }
  }
  return undefined;
}

/**
 * Copies the shared keys to a new control plane, from the first one that has all of them and belongs to the cluster.
 * They pass through memory only, and never the controller's disk.
 * @param expectedHash hash of the cluster's CA
 */
export async function copyControlPlanePki(
  context: Context,
  { from, to, caCertHash: expectedHash }: { from: readonly Connection[]; to: Remote; caCertHash: string },
): Promise<void> {
  context.status(STEP);
  const failures: string[] = [];
  for (const connection of from) {
    try {
      const files = await readSharedFiles(context, context.connections.get(connection), expectedHash);
      await writeFiles(to, files, STEP, context.signal);
      return;
    } catch (error) {
      context.signal.throwIfAborted();
      failures.push(messageOf(error));
    }
  }
  throw new StepError({
    step: STEP,
    machine: to.label,
    cause: failures.join("; ") || "the cluster has no other control plane",
    action: "start another control plane, or restore its files from a backup",
  });
}

async function readSharedFiles(
  { signal }: Context,
  source: Remote,
  expectedHash: string,
): Promise<ReturnType<typeof textFile>[]> {
  const paths = [...SHARED_FILES, ...ROTATION_FILES].map(({ path }) => path);
  const contentByPath = await readContents(source, paths, signal);
  const ca = contentByPath.get(CA_CERTIFICATE);
  if (ca !== undefined && !knownHashes(ca, contentByPath.get(FORMER_AUTHORITIES)).includes(expectedHash)) {
    throw new Error(`${source.label}: ${CA_CERTIFICATE} belongs to another cluster`);
  }
  const shared = SHARED_FILES.map(({ path, mode }) => {
    const content = contentByPath.get(path);
    if (content === undefined) throw new Error(`${source.label}: ${path} does not exist`);
    return textFile(path, content, mode);
  });
  const ofRotation = ROTATION_FILES.flatMap(({ path, mode }) => {
    const content = contentByPath.get(path);
    return content === undefined ? [] : [textFile(path, content, mode)];
  });
  return [...shared, ...ofRotation];
}
