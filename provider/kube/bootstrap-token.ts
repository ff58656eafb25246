import { randomBytes } from "node:crypto";
import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import { BOOTSTRAPPERS } from "../../render/components/rbac";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { retryRequest } from "./retry";

const NAMESPACE = "kube-system";
const TOKEN_MINUTES = 15;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

function randomString(length: number): string {
  // 252 is the largest multiple of 36 below 256: every letter is as likely as any other.
  let word = "";
  while (word.length < length) {
    const byte = randomBytes(1)[0] ?? 255;
    if (byte < 252) word += ALPHABET[byte % 36] ?? "";
  }
  return word;
}

/** `abcdef.0123456789abcdef`: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
export function generateToken(): string {
  return `${randomString(6)}.${randomString(16)}`;
}

export function tokenId(token: string): string {
  return token.split(".")[0] ?? "";
}

/** Of its Secret. */
function secretNameOf(token: string): string {
  return `bootstrap-token-${tokenId(token)}`;
}

export interface TokenOptions {
  /** The node that joins with it. */
  node: string;
  signal: AbortSignal;
  /** kubeadm join looks for `cluster-info` first, which the controller manager signs with the token. @default false */
  signed?: boolean;
}

/** A bootstrap token for the join of one node; it ends by itself after 15 minutes, should revoking it fail. */
export async function createToken(api: KubeApi, { node, signal, signed = false }: TokenOptions): Promise<string> {
  const token = generateToken();
  const expiration = new Date(Date.now() + TOKEN_MINUTES * 60_000).toISOString().replace(/\.\d+Z$/, "Z");
  const body = {
    metadata: { name: secretNameOf(token), namespace: NAMESPACE },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": tokenId(token),
      "token-secret": token.split(".")[1] ?? "",
      description: `kubewright: join of ${node}`,
      expiration,
      "usage-bootstrap-authentication": "true",
      ...(signed ? { "usage-bootstrap-signing": "true" } : {}),
      "auth-extra-groups": BOOTSTRAPPERS,
    },
  };
  await retryRequest("making a join token", signal, () =>
    api.core.createNamespacedSecret({ namespace: NAMESPACE, body }),
  );
  if (signed) await waitUntilSigned(api, token, signal);
  return token;
}

/** kubeadm join polls every 5 s for cluster-info to be signed with its token: better to join once it is. */
async function waitUntilSigned(api: KubeApi, token: string, signal: AbortSignal): Promise<void> {
  const key = `jws-kubeconfig-${tokenId(token)}`;
  await until(
    async () => {
      const info = await api.core
        .readNamespacedConfigMap({ name: "cluster-info", namespace: "kube-public" })
        .catch(() => undefined);
      return info?.data?.[key] === undefined ? undefined : true;
    },
    {
      signal,
      timeout: 60,
      every: 100,
      onTimeout: (seconds) =>
        new StepError({
          step: "making a join token",
          cause: `cluster-info was not signed with it within ${seconds} s`,
          action: "is kube-controller-manager running? see `kubectl -n kube-system get pods`",
        }),
    },
  );
}

/** Is it over with the token: expired, or gone? Somebody may have cleared tokens away, or set a clock. Where the API does not say, it is not. */
export async function hasExpired(api: KubeApi, token: string): Promise<boolean> {
  const reading = ignoreNotFound(api.core.readNamespacedSecret({ name: secretNameOf(token), namespace: NAMESPACE }));
  return await reading.then(
    (secret) => !isAhead(secret?.data?.expiration),
    () => false,
  );
}

function isAhead(expiration = ""): boolean {
  return Date.parse(Buffer.from(expiration, "base64").toString()) > Date.now();
}

export async function revokeToken(api: KubeApi, token: string): Promise<void> {
  await ignoreNotFound(api.core.deleteNamespacedSecret({ name: secretNameOf(token), namespace: NAMESPACE }));
}
