import { StepError } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { readContents, writeFiles, textFile } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const STEP = "copying the control plane's keys";
const PKI = "/etc/kubernetes/pki";

/**
 * Files that all control planes share. kubeadm creates the rest of the PKI on each control plane.
 * https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#manual-certs
 */
const SHARED_FILES = [
  { path: `${PKI}/ca.crt`, mode: "0644" },
  { path: `${PKI}/ca.key`, mode: "0600" },
  { path: `${PKI}/sa.pub`, mode: "0600" },
  { path: `${PKI}/sa.key`, mode: "0600" },
  { path: `${PKI}/front-proxy-ca.crt`, mode: "0644" },
  { path: `${PKI}/front-proxy-ca.key`, mode: "0600" },
  { path: `${PKI}/etcd/ca.crt`, mode: "0644" },
  { path: `${PKI}/etcd/ca.key`, mode: "0600" },
] as const;

/** Copies the shared keys to a new control plane. They pass through memory only, and never the controller's disk. */
export async function copyControlPlanePki(context: Context, from: readonly Connection[], to: Remote): Promise<void> {
  context.status(STEP);
  const [first] = from;
  if (!first) {
    throw new StepError({ step: STEP, machine: to.label, cause: "the cluster has no other control plane" });
  }
  const source = context.connections.get(first);
  const paths = SHARED_FILES.map(({ path }) => path);
  const contentByPath = await readContents(source, paths, context.signal);
  const files = SHARED_FILES.map(({ path, mode }) => {
    const content = contentByPath.get(path);
    if (content !== undefined) return textFile(path, content, mode);
    const cause = `${path} does not exist`;
    throw new StepError({ step: STEP, machine: source.label, cause, action: "restore the file from a backup" });
  });
  await writeFiles(to, files, STEP, context.signal);
}
