import { X509Certificate } from "node:crypto";
import { KUBERNETES, PKI } from "../../render/component-paths";
import { readContents } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const CERTIFICATES = [
  "ca",
  "apiserver",
  "apiserver-kubelet-client",
  "apiserver-etcd-client",
  "front-proxy-ca",
  "front-proxy-client",
  "etcd/ca",
  "etcd/server",
  "etcd/peer",
  "etcd/healthcheck-client",
].map((name) => ({ name, path: `${PKI}/${name}.crt` }));
const KUBECONFIGS = ["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"].map((name) => ({
  name,
  path: `${KUBERNETES}/${name}`,
}));

export interface CertificateExpiry {
  /** `control-plane-1 (10.0.0.11)` */
  machine: string;
  /** `apiserver`, `admin.conf` */
  name: string;
  end: Date;
}

/**
 * Reads when a control plane's certificates expire: the ones that `kubeadm certs check-expiration` lists. The keys in
 * kubeconfigs are discarded.
 */
export async function readCertificateExpiries(machine: Remote, signal: AbortSignal): Promise<CertificateExpiry[]> {
  const files = [...CERTIFICATES, ...KUBECONFIGS];
  const contentByPath = await readContents(
    machine,
    files.map(({ path }) => path),
    signal,
  );
  return files.flatMap(({ name, path }) => {
    const content = contentByPath.get(path);
    const pem = path.endsWith(".conf") ? clientCertificateOf(content) : content;
    return pem ? [{ machine: machine.label, name, end: new Date(new X509Certificate(pem).validTo) }] : [];
  });
}

function clientCertificateOf(kubeconfig = ""): string | undefined {
  const encoded = /client-certificate-data: *(\S+)/.exec(kubeconfig)?.[1];
  return encoded && Buffer.from(encoded, "base64").toString();
}

/** Days before its end at which a certificate should be renewed. kubeadm's certificates are valid for a year. */
export const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** Warns about certificates of a control plane that expire soon. */
export function warnOfExpiry(context: Pick<Context, "warn">, expiries: readonly CertificateExpiry[]): void {
  const daysUntil = (end: Date) => Math.floor((end.getTime() - Date.now()) / DAY_MS);
  const soon = expiries
    .filter(({ end }) => daysUntil(end) <= SOON_DAYS)
    .sort((one, other) => one.end.getTime() - other.end.getTime());
  const [first] = soon;
  if (!first) return;
  const names = soon.map(({ name }) => name).join(", ");
  context.warn(
    `${first.machine}: certificates expire soon, the first in ${daysUntil(first.end)} days: ${names}; ` +
      "run `kubeadm certs renew all` on this machine and restart its control plane",
  );
}
