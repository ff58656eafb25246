import { randomBytes } from "node:crypto";
import { StepError, messageOf } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { BOOTSTRAPPERS } from "../../render/components/rbac";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { retryRequest } from "./retry";

const NAMESPACE = "kube-system";
const LIFETIME_MINUTES = 15;
const SIGNING_SECONDS = 60;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
/** The largest multiple of 36 in a byte: with smaller bytes only, every character is equally likely. */
const UNBIASED_BYTES = 252;

function randomString(length: number): string {
  let text = "";
  while (text.length < length) {
    const byte = randomBytes(1)[0] ?? 255;
    if (byte < UNBIASED_BYTES) text += ALPHABET[byte % ALPHABET.length] ?? "";
  }
  return text;
}

/** Generates a token: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
export function generateToken(): string {
  return `${randomString(6)}.${randomString(16)}`;
}

/** Returns the public part of a token. */
export function tokenId(token: string): string {
  return token.split(".")[0] ?? "";
}

function secretNameOf(token: string): string {
  return `bootstrap-token-${tokenId(token)}`;
}

export interface JoinTokenOptions {
  /** Name of the node that joins. */
  node: string;
  signal: AbortSignal;
  /**
   * Waits until the controller manager has signed the ConfigMap `cluster-info` with the token. `kubeadm join` needs it.
   * @default false
   */
  signed?: boolean;
}

/** The join failed and its token was expired or deleted by then: a join with a new token may succeed. */
export class TokenExpiredError extends StepError {}

/**
 * Creates a bootstrap token for the join of one node, runs the join and revokes the token. A token that cannot be
 * revoked expires after 15 minutes.
 * @throws TokenExpiredError when the join fails after its token has expired
 */
export async function withJoinToken<T>(
  api: KubeApi,
  options: JoinTokenOptions & { warn: Progress },
  join: (token: string) => Promise<T>,
): Promise<T> {
  const token = await createToken(api, options);
  try {
    return await join(token);
  } catch (error) {
    throw error instanceof StepError && (await hasExpired(api, token)) ? new TokenExpiredError(error.failure) : error;
  } finally {
    await revokeToken(api, token).catch((error: unknown) =>
      options.warn(`the join token was not revoked and expires in ${LIFETIME_MINUTES} minutes: ${messageOf(error)}`),
    );
  }
}

async function createToken(api: KubeApi, { node, signal, signed = false }: JoinTokenOptions): Promise<string> {
  const token = generateToken();
  const expiration = new Date(Date.now() + LIFETIME_MINUTES * 60_000).toISOString().replace(/\.\d+Z$/, "Z");
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
  await retryRequest(api, "creating a join token", signal, () =>
    api.core.createNamespacedSecret({ namespace: NAMESPACE, body }),
  );
  if (signed) await waitUntilSigned(api, token, signal);
  return token;
}

/** `kubeadm join` polls for the signature only every 5 s, so waiting here first makes a join faster. */
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
      timeout: SIGNING_SECONDS,
      patience: api.patience,
      every: 100,
      onTimeout: (seconds) =>
        new StepError({
          step: "creating a join token",
          cause: `the controller manager did not sign the ConfigMap cluster-info with it within ${seconds} s`,
          action: "run `kubectl -n kube-system get pods` and check that kube-controller-manager is running",
        }),
    },
  );
}

/** Returns whether a token is expired or deleted. A token that cannot be read counts as valid. */
async function hasExpired(api: KubeApi, token: string): Promise<boolean> {
  try {
    const name = secretNameOf(token);
    const secret = await ignoreNotFound(api.core.readNamespacedSecret({ name, namespace: NAMESPACE }));
    const expiration = Buffer.from(secret?.data?.expiration ?? "", "base64").toString();
    return !(Date.parse(expiration) > Date.now());
  } catch {
    return false;
  }
}

/** Deletes a token. Succeeds when it is already deleted. */
export async function revokeToken(api: KubeApi, token: string): Promise<void> {
  await ignoreNotFound(api.core.deleteNamespacedSecret({ name: secretNameOf(token), namespace: NAMESPACE }));
}
