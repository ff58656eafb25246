import { X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import { caCertHash } from "../pki/ca-cert-hash";
import type { Remote } from "../ssh/remote";
import { openStream } from "../ssh/tunnel";

const STEP = "verifying the cluster's CA";
const TIMEOUT_SECONDS = 60;
const HANDSHAKE_MS = 10_000;

export interface Discovery {
  /** API server as `host:port`. */
  endpoint: string;
  /** Expected hash of the CA's public key, `sha256:<hex>`. */
  caCertHash: string;
  signal: AbortSignal;
}

/**
 * Reads the cluster's CA certificate from the API server, over the machine's own network, and verifies it against the
 * expected hash, like `kubeadm join --discovery-token-ca-cert-hash`:
 * https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
 * @returns the CA certificate, PEM
 * @throws StepError when the endpoint does not answer, or shows another CA
 */
export async function discoverCa(machine: Remote, discovery: Discovery): Promise<string> {
  const { endpoint, caCertHash: expectedHash, signal } = discovery;
  let lastError = "";
  const chain = await until(
    async () =>
      await readCertificateChain(machine, endpoint).catch((error: unknown) => void (lastError = messageOf(error))),
    {
      signal,
      timeout: TIMEOUT_SECONDS,
      patience: machine.patience,
      onTimeout: () =>
        new StepError({
          step: STEP,
          machine: machine.label,
          cause: `the API server at ${endpoint} cannot be reached from this machine: ${lastError}`,
          action: `check the route and the firewall between this machine and ${endpoint}`,
        }),
    },
  );
  return verifyCa(chain, expectedHash, machine.label);
}

/** Returns the CA certificate of a chain, PEM. @throws StepError unless the CA has the hash and signed the leaf */
export function verifyCa(chain: readonly X509Certificate[], expectedHash: string, label: string): string {
  const ca = chain.find((certificate) => certificate.ca && caCertHash(certificate.toString()) === expectedHash);
  const mismatch = describeMismatch(chain[0], ca, expectedHash);
  if (ca && mismatch === undefined) return ca.toString();
  throw new StepError({
    step: STEP,
    machine: label,
    cause: mismatch ?? "",
    action: "check controlPlane.endpoint: another cluster or another host may answer at this address",
  });
}

function describeMismatch(
  leaf: X509Certificate | undefined,
  ca: X509Certificate | undefined,
  expectedHash: string,
): string | undefined {
  if (!leaf) return "the API server sent no certificate";
  if (!ca) return `the hash of the API server's CA does not match ${expectedHash}`;
  if (!leaf.verify(ca.publicKey)) return "the API server's certificate is not signed by the expected CA";
  if (leaf.checkHost("kubernetes") === undefined) {
    return "the API server's certificate is not valid for the name kubernetes";
  }
  return undefined;
}

/**
 * Reads the certificates of a TLS server. The handshake proves that the server has the leaf's key; the caller verifies
 * the chain by the CA's hash, so no root certificate is needed here.
 */
async function readCertificateChain(machine: Remote, endpoint: string): Promise<X509Certificate[]> {
  const colon = endpoint.lastIndexOf(":");
  const stream = await openStream(machine, endpoint.slice(0, colon), Number(endpoint.slice(colon + 1)));
  return await new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, servername: "kubernetes", rejectUnauthorized: false }, () => {
      const chain = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(chain);
    });
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(new Error("no answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed")));
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current: DetailedPeerCertificate | undefined = leaf;
  // A self-signed certificate is its own issuer.
  while (current?.raw && !chain.some(({ raw }) => raw.equals(current?.raw ?? Buffer.alloc(0)))) {
    chain.push(new X509Certificate(current.raw));
    current = current.issuerCertificate;
  }
  return chain;
}
