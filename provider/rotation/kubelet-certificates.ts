import { createCertificate, type CertificateRequest, type Identity } from "../pki/x509";
import type { Remote } from "../ssh/remote";
import { KUBELET_SERVER, readLeaves } from "./issued-certificates";

const KUBELET_PKI = "/var/lib/kubelet/pki";
/** As the controller manager does. The kubelet replaces the certificate itself before its end, with a new key. */
const DAYS = 365;

/** A certificate of the kubelet: `client`, or `server` where the cluster's CA signs what the kubelet serves. */
export type KubeletCertificate = "client" | "server";

/** Path of the link to the certificate that the kubelet uses. */
export function currentPath(kind: KubeletCertificate): string {
  return `${KUBELET_PKI}/kubelet-${kind}-current.pem`;
}

/** Returns the path that the kubelet itself gives to a certificate of this time, in ms. */
export function pathAt(kind: KubeletCertificate, time: number): string {
  const text = new Date(time).toISOString().slice(0, 19).replace(/[T:]/g, "-");
  return `${KUBELET_PKI}/kubelet-${kind}-${text}.pem`;
}

/**
 * Issues new certificates for a kubelet: one for its client, and one for its server if it has one of a CA, for the same
 * names and addresses.
 * @returns certificate and key, PEM
 */
export async function issueCertificates(
  machine: Remote,
  { authority, node, signal }: { authority: Identity; node: string; signal: AbortSignal },
): Promise<Map<KubeletCertificate, string>> {
  const subject = { commonName: `system:node:${node}`, organizations: ["system:nodes"], days: DAYS };
  const serving = await readServingNames(machine, signal);
  const requests: [KubeletCertificate, CertificateRequest][] = [
    ["client", { ...subject, usages: ["client"] }],
    ...(serving
      ? [["server", { ...subject, ...serving, usages: ["server"] }] as [KubeletCertificate, CertificateRequest]]
      : []),
  ];
  const issued = requests.map(async ([kind, request]): Promise<[KubeletCertificate, string]> => {
    const { certificate, key } = await createCertificate(authority, request);
    return [kind, certificate + key];
  });
  return new Map(await Promise.all(issued));
}

type ServingNames = Required<Pick<CertificateRequest, "dnsNames" | "ipAddresses">>;

async function readServingNames(machine: Remote, signal: AbortSignal): Promise<ServingNames | undefined> {
  const certificate = (await readLeaves(machine, [KUBELET_SERVER], signal)).get(KUBELET_SERVER);
  if (!certificate) return undefined;
  // `DNS:worker-1, IP Address:10.0.0.2`
  const names = (certificate.subjectAltName ?? "").split(", ");
  const having = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return { dnsNames: having("DNS:"), ipAddresses: having("IP Address:") };
}
