import { X509Certificate } from "node:crypto";
import { KUBERNETES, PKI } from "../../render/component-paths";
import { KUBELET_CONFIGURATION } from "../../render/kubelet";
import { machineName } from "../ssh/connection";
import type { Remote } from "../ssh/remote";

const KUBELET_PKI = "/var/lib/kubelet/pki";
const SECOND_MS = 1_000;

/**
 * `authority` is a CA. `leaf` is a certificate of the control plane. The kubelet replaces a `rotated` certificate
 * itself. `self-signed` is the kubelet's own serving certificate, which the API server does not verify.
 */
export type CertificateKind = "authority" | "leaf" | "rotated" | "self-signed";

/** A certificate on a machine. */
export interface MachineCertificate {
  /** Name of the machine: `control-plane-1`. */
  node: string;
  /** `control-plane-1 (10.0.0.11)` */
  machine: string;
  /** `apiserver`, `etcd/server`, `admin.conf`, `kubelet client` */
  name: string;
  kind: CertificateKind;
  start: Date;
  end: Date;
  /** Milliseconds until the end by the machine's clock; negative for a certificate that has ended. */
  left: number;
  fingerprint: string;
}

/** Names of the kubelet's certificates by file in its folder. */
const KUBELET_FILES: Readonly<Record<string, { name: string; kind: CertificateKind }>> = {
  "kubelet-client-current.pem": { name: "kubelet client", kind: "rotated" },
  "kubelet-server-current.pem": { name: "kubelet serving", kind: "rotated" },
  "kubelet.crt": { name: "kubelet serving", kind: "self-signed" },
};

/**
 * After a change of `security.kubeletServingCertificates`, the folder may have the serving certificate of before, which
 * is not served any more and never renewed.
 */
const UNUSED = `unused=kubelet-server-current.pem used=kubelet.crt
if cat ${KUBELET_CONFIGURATION} ${KUBERNETES}/kubelet.conf.d/*.conf 2>/dev/null |
  grep -q '^ *"*serverTLSBootstrap"*: *true'; then unused=kubelet.crt used=kubelet-server-current.pem; fi
[ -e "${KUBELET_PKI}/$used" ] || unused=`;

/** Prints certificates only: kubeconfigs and the kubelet's files also hold private keys, which stay on the machine. */
const SCRIPT = `echo "now $(date +%s)"
${UNUSED}
{ find ${PKI} -name '*.crt' 2>/dev/null | sort
  for name in ${Object.keys(KUBELET_FILES).join(" ")}; do [ "$name" = "$unused" ] || echo "${KUBELET_PKI}/$name"; done
} | while read -r file; do
  [ -f "$file" ] || continue
  echo "file $file"
  sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' "$file"
done
for file in ${KUBERNETES}/*.conf; do
  [ -f "$file" ] || continue
  echo "file $file"
  sed -n 's/^ *client-certificate-data: */data /p' "$file"
done
true`;

/**
 * Reads every certificate on a machine, in one command: the PKI, the client certificates in kubeconfigs, and the
 * kubelet's. Needs no openssl on the machine.
 */
export async function readCertificates(machine: Remote, signal: AbortSignal): Promise<MachineCertificate[]> {
  const { stdout } = await machine.read(SCRIPT, { step: "reading certificates", signal });
  const { node, label } = { node: machineName(machine.connection), label: machine.label };
  return parseCertificates(stdout).map((certificate) => ({ node, machine: label, ...certificate }));
}

type ParsedCertificate = Omit<MachineCertificate, "node" | "machine">;

export function parseCertificates(output: string): ParsedCertificate[] {
  const [head = "", ...files] = output.split(/^file /m);
  const now = Number(/^now (\d+)$/m.exec(head)?.[1] ?? Date.now() / SECOND_MS) * SECOND_MS;
  return files.flatMap((file) => {
    const [path = ""] = file.split("\n", 1);
    const certificates = certificatesIn(file);
    // The kubelet appends the CA with which it has signed its own certificate.
    const shown = path.startsWith(KUBELET_PKI) ? certificates.slice(0, 1) : certificates;
    return shown.map((certificate, index) => describe(path, certificate, index, now));
  });
}

/** Returns the certificates of a file, without those that cannot be parsed. */
function certificatesIn(file: string): X509Certificate[] {
  const encoded = [...file.matchAll(/^data (\S+)$/gm)].map(([, data = ""]) => Buffer.from(data, "base64").toString());
  const text = [file, ...encoded].join("\n");
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}

function describe(path: string, certificate: X509Certificate, index: number, now: number): ParsedCertificate {
  const { name, kind } = nameOf(path);
  const [start, end] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  return {
    name: index === 0 ? name : `${name} (${index + 1})`,
    kind: certificate.ca ? "authority" : kind,
    start,
    end,
    left: end.getTime() - now,
    fingerprint: certificate.fingerprint256,
  };
}

function nameOf(path: string): { name: string; kind: CertificateKind } {
  const kubelet = KUBELET_FILES[path.slice(KUBELET_PKI.length + 1)];
  if (path.startsWith(`${KUBELET_PKI}/`) && kubelet) return kubelet;
  const name = path.startsWith(`${PKI}/`) ? path.slice(PKI.length + 1).replace(/\.crt$/, "") : path.split("/").pop();
  return { name: name ?? path, kind: "leaf" };
}
