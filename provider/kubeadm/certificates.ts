import { X509Certificate } from "node:crypto";
import { contents } from "../host/files";
import type { Connection } from "../ssh/connection";
import { describe } from "../ssh/connection";
import { remote } from "../ssh/pool";

const PKI = "/etc/kubernetes/pki";
const CERTIFICATES = ["ca", "apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-ca", "front-proxy-client", "etcd/ca", "etcd/server", "etcd/peer", "etcd/healthcheck-client"];
const KUBECONFIGS = ["admin", "super-admin", "controller-manager", "scheduler"];

export interface CertificateEnd {
  /** `control-plane-1 (10.0.0.11)` */
  machine: string;
  /** `apiserver`, `admin.conf` */
  name: string;
  end: Date;
}

/** When the certificates of a control plane end: those that `kubeadm certs check-expiration` lists. Only certificates are kept, no keys. */
export async function certificateEnds(connection: Connection, signal: AbortSignal): Promise<CertificateEnd[]> {
  const paths = [...CERTIFICATES.map((name) => `${PKI}/${name}.crt`), ...KUBECONFIGS.map((name) => `/etc/kubernetes/${name}.conf`)];
  const found = await contents(remote(connection), paths, signal);
  return [...found].flatMap(([path, text]) => {
    const pem = path.endsWith(".conf") ? certificateIn(text) : text;
    return pem ? [{ machine: describe(connection), name: path.replace(`${PKI}/`, "").replace("/etc/kubernetes/", "").replace(/\.crt$/, ""), end: new Date(new X509Certificate(pem).validTo) }] : [];
  });
}

function certificateIn(kubeconfig: string): string | undefined {
  const encoded = /client-certificate-data: *(\S+)/.exec(kubeconfig)?.[1];
  return encoded && Buffer.from(encoded, "base64").toString();
}
