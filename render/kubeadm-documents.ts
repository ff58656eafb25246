import { yamlText } from "./json";
import type { InitConfiguration, JoinConfiguration, KubeadmDocument } from "./kubeadm-types";

export interface BootstrapSecret {
  token: string;
  /** Go duration, for tokens that `kubeadm init` creates. @default 1h0m0s */
  ttl?: string;
  /** `sha256:<hex>` of the CA's public key. Required for a join. */
  caCertHashes?: readonly string[];
}

/**
 * Adds the bootstrap token and the CA's hashes. The provider calls this when it writes the file: a token is created at
 * run time for one node, and must never be an input of a resource.
 * @throws Error when the token is malformed, or a join has no CA hash; the message does not contain the token
 */
export function withBootstrapToken(documents: readonly KubeadmDocument[], secret: BootstrapSecret): KubeadmDocument[] {
  if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(secret.token))
    throw new Error("the bootstrap token must have the form [a-z0-9]{6}.[a-z0-9]{16}");
  return documents.map((document) => {
    if (isInit(document)) return { ...document, bootstrapTokens: [initToken(secret)] };
    return isJoin(document) ? { ...document, discovery: discovery(document, secret) } : document;
  });
}

/**
 * Disables kubeadm's preflight checks, for an init that continues after an interruption: its own ports, files and data
 * would fail them. The flag `--ignore-preflight-errors` cannot be combined with the setting of the configuration.
 */
export function withoutPreflight(documents: readonly KubeadmDocument[]): KubeadmDocument[] {
  return documents.map((document) =>
    isInit(document)
      ? { ...document, nodeRegistration: { ...document.nodeRegistration, ignorePreflightErrors: ["all"] } }
      : document,
  );
}

/** Lets `kubeadm init` use restored data of etcd, which also has the add-ons and kubeadm's configuration. */
export function withRestoredData(documents: readonly KubeadmDocument[]): KubeadmDocument[] {
  return documents.map((document) => {
    if (!isInit(document)) return document;
    const { nodeRegistration } = document;
    const ignored = [...(nodeRegistration.ignorePreflightErrors ?? []), "DirAvailable--var-lib-etcd"];
    return {
      ...document,
      nodeRegistration: { ...nodeRegistration, ignorePreflightErrors: ignored },
      skipPhases: ["upload-config/kubeadm", "addon"],
    };
  });
}

/**
 * Limits kubeadm's own timeouts to shares of the join's time limit, so that kubeadm can still report what it waited
 * for. kubeadm's defaults are 5 minutes each.
 * @param seconds Time limit of the whole join.
 */
export function withinSeconds(document: JoinConfiguration, seconds: number): JoinConfiguration {
  const part = (share: number) => `${Math.max(1, Math.floor(seconds * share))}s`;
  return { ...document, timeouts: { discovery: part(0.2), tlsBootstrap: part(0.4), ...document.timeouts } };
}

/** Renders documents as one YAML file. */
export function toYaml(documents: readonly KubeadmDocument[]): string {
  return documents.map(yamlText).join("---\n");
}

function initToken({
  token,
  ttl = "1h0m0s",
}: BootstrapSecret): NonNullable<InitConfiguration["bootstrapTokens"]>[number] {
  return {
    token,
    ttl,
    usages: ["signing", "authentication"],
    groups: ["system:bootstrappers:kubeadm:default-node-token"],
  };
}

function discovery(
  document: JoinConfiguration,
  { token, caCertHashes = [] }: BootstrapSecret,
): JoinConfiguration["discovery"] {
  if (caCertHashes.length === 0)
    throw new Error("a join needs the hash of the cluster's CA, else any server could pretend to be the control plane");
  return { bootstrapToken: { ...document.discovery.bootstrapToken, token, caCertHashes: [...caCertHashes] } };
}

function isInit(document: KubeadmDocument): document is InitConfiguration {
  return document.kind === "InitConfiguration";
}

function isJoin(document: KubeadmDocument): document is JoinConfiguration {
  return document.kind === "JoinConfiguration";
}
