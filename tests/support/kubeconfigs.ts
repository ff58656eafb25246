import { caCertHash } from "../../provider/pki/ca-cert-hash";
import { createAuthority } from "../../provider/pki/x509";
import { kubeconfig } from "../../render/components/kubeconfig";

/** The CA of a cluster. */
export interface Authority {
  pem: string;
  hash: string;
}

export async function newAuthority(): Promise<Authority> {
  const { certificate } = await createAuthority("kubernetes", 1);
  return { pem: certificate, hash: caCertHash(certificate) };
}

/** The kubeconfig of a control plane. All clusters of kubeadm have the same names. */
export function adminKubeconfig(pem: string, key: string, certificate = "CERTIFICATE"): string {
  const identity = { certificate, key };
  const names = { clusterName: "kubernetes", user: "kubernetes-admin" };
  return kubeconfig({ ...names, server: "https://10.0.0.1:6443", caCertificate: pem, identity });
}

/** A user's own kubeconfig, as kubectl formats it, with a comment. */
export function homeKubeconfig(pem: string): string {
  return `# my clusters
apiVersion: v1
kind: Config
preferences: {}
clusters:
# the office
- cluster:
    certificate-authority-data: ${Buffer.from(pem).toString("base64")}
    server: https://office.example.com:6443
  name: office
contexts:
- context:
    cluster: office
    namespace: team
    user: me
  name: work
current-context: work
users:
- name: me
  user:
    token: mine
`;
}
