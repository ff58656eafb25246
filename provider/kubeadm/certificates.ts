import { X509Certificate } from "node:crypto";
import type { Context } from "../rpc/handler";
import { contents } from "../host/files";
import type { Remote } from "../ssh/remote";

const PKI = "/etc/kubernetes/pki";
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
];
const KUBECONFIGS = ["admin", "super-admin", "controller-manager", "scheduler"];

export interface CertificateExpiry {
  /** `control-plane-1 (10.0.0.11)` */
  machine: string;
  /** `apiserver`, `admin.conf` */
  name: string;
  end: Date;
}

/** When the certificates of a control plane end: those that `kubeadm certs check-expiration` lists. Only certificates are kept, no keys. */
export async function readCertificateExpiries(machine: Remote, signal: AbortSignal): Promise<CertificateExpiry[]> {
  const paths = [
    ...CERTIFICATES.map((name) => `${PKI}/${name}.crt`),
    ...KUBECONFIGS.map((name) => `/etc/kubernetes/${name}.conf`),
  ];
  const found = await contents(machine, paths, signal);
  return [...found].flatMap(([path, text]) => {
    const pem = path.endsWith(".conf") ? certificateIn(text) : text;
    return pem
      ? [
          {
            machine: machine.label,
            name: path
              .replace(`${PKI}/`, "")
              .replace("/etc/kubernetes/", "")
              .replace(/\.crt$/, ""),
            end: new Date(new X509Certificate(pem).validTo),
          },
        ]
      : [];
  });
}

/** Kubernetes' own advice is to renew in good time; a year is what kubeadm gives. */
export const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** Says which certificates of a control plane are about to end. */
export function warnOfExpiry(context: Context, ends: readonly CertificateExpiry[]): void {
  const days = (end: Date) => Math.floor((end.getTime() - Date.now()) / DAY_MS);
  const soon = ends.filter(({ end }) => days(end) <= SOON_DAYS);
  const [first] = soon.sort((one, other) => one.end.getTime() - other.end.getTime());
  if (!first) return;
  const names = soon.map(({ name }) => name).join(", ");
  context.warn(
    `certificates of ${first.machine} are about to end, the first in ${days(first.end)} days: ${names}; run \`kubeadm certs renew all\` on it and restart its control plane`,
  );
}

function certificateIn(kubeconfig: string): string | undefined {
  const encoded = /client-certificate-data: *(\S+)/.exec(kubeconfig)?.[1];
  return encoded && Buffer.from(encoded, "base64").toString();
}
