import { yamlText } from "../json";

export interface KubeconfigOptions {
  clusterName: string;
  /** `https://10.0.0.9:6443` */
  server: string;
  /** PEM. */
  caCertificate: string;
  user: string;
  /** Credentials: a certificate with its key (PEM), or a token. */
  identity: { certificate: string; key: string } | { token: string };
}

/** Renders a self-contained kubeconfig. Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function kubeconfig({ clusterName, server, caCertificate, user, identity }: KubeconfigOptions): string {
  const context = `${user}@${clusterName}`;
  const credentials =
    "token" in identity
      ? { token: identity.token }
      : { "client-certificate-data": base64(identity.certificate), "client-key-data": base64(identity.key) };
  return yamlText({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: clusterName, cluster: { "certificate-authority-data": base64(caCertificate), server } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: context, context: { cluster: clusterName, user } }],
    "current-context": context,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
