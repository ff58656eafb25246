import { StepError } from "../../common/errors";
import { contents, put, textFile } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Connection } from "../../contracts/connection";
import type { Remote } from "../ssh/remote";

const PKI = "/etc/kubernetes/pki";

/**
 * What all control planes share; the rest of the PKI is each one's own.
 * https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#manual-certs
 */
const SHARED = [
  { path: `${PKI}/ca.crt`, mode: "0644" },
  { path: `${PKI}/ca.key`, mode: "0600" },
  { path: `${PKI}/sa.pub`, mode: "0600" },
  { path: `${PKI}/sa.key`, mode: "0600" },
  { path: `${PKI}/front-proxy-ca.crt`, mode: "0644" },
  { path: `${PKI}/front-proxy-ca.key`, mode: "0600" },
  { path: `${PKI}/etcd/ca.crt`, mode: "0644" },
  { path: `${PKI}/etcd/ca.key`, mode: "0600" },
] as const;

/** Brings the shared keys from a control plane to the next one, from memory to 0600 files: they touch no disk of the controller. */
export async function copyControlPlanePki(context: Context, from: readonly Connection[], to: Remote): Promise<void> {
  context.status("copying the control plane's keys");
  const first = from[0];
  if (!first)
    throw new StepError({
      step: "copying the control plane's keys",
      machine: to.label,
      cause: "there is no control plane to copy from",
    });
  const source = context.connections.get(first);
  const paths = SHARED.map(({ path }) => path);
  const found = await contents(source, paths, context.signal);
  const files = SHARED.map(({ path, mode }) => {
    const content = found.get(path);
    if (content === undefined) {
      throw new StepError({
        step: "copying the control plane's keys",
        machine: source.label,
        cause: `${path} is missing`,
        action: "restore it from a backup",
      });
    }
    return textFile(path, content, mode);
  });
  await put(to, files, "copying the control plane's keys", context.signal);
}
