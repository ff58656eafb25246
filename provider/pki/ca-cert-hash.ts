import { X509Certificate, createHash } from "node:crypto";

/**
 * Returns `sha256:<hex>` of a CA's public key (RFC 7469), the value of `kubeadm join --discovery-token-ca-cert-hash`.
 * @param pem the CA certificate
 */
export function caCertHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}
