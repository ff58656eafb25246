import { X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import { tunnel } from "../ssh/tunnel";
import { caCertHash } from "../pki/ca-cert-hash";
import type { Remote } from "../ssh/remote";

const STEP = "verifying the cluster's CA";
const SECONDS = 60;
const ANSWER_MS = 10_000;

export interface Discovery {
  /** `host:port` of the API server. */
  endpoint: string;
  /** `sha256:<hex>` */
  caCertHash: string;
  signal: AbortSignal;
}

/**
 * The CA that vouches for whoever answers at the endpoint, as this machine reaches it: taken only if its public key has the hash that was
 * given beforehand, as `kubeadm join --discovery-token-ca-cert-hash` does. https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
 * @returns PEM
 */
export async function discoverCa(
  machine: Remote,
  { endpoint, caCertHash: expected, signal }: Discovery,
): Promise<string> {
  const colon = endpoint.lastIndexOf(":");
  const { port, server } = await tunnel(machine, Number(endpoint.slice(colon + 1)), endpoint.slice(0, colon));
  let last = "";
  try {
    const chain = await until(
      async () => await readCertificateChain(port).catch((error: unknown) => void (last = messageOf(error))),
      {
        signal,
        timeout: SECONDS,
        patience: machine.patience,
        onTimeout: () =>
          new StepError({
            step: STEP,
            machine: machine.label,
            cause: `no way to the API server at ${endpoint}: ${last}`,
            action: "see that the machine reaches it",
          }),
      },
    );
    return verifyCa(chain, expected, machine.label);
  } finally {
    server.close();
  }
}

/** Pure: the CA of a chain that leads to the expected key. */
export function verifyCa(chain: readonly X509Certificate[], expected: string, label: string): string {
  const [leaf] = chain;
  const ca = chain.find((one) => one.ca && caCertHash(one.toString()) === expected);
  const wrong = !leaf
    ? "the API server shows no certificate"
    : !ca
      ? `the API server's CA is not the one that was expected (${expected})`
      : !leaf.verify(ca.publicKey) || leaf.checkHost("kubernetes") === undefined
        ? "the API server's certificate is not one of that CA for the name kubernetes"
        : undefined;
  if (wrong || !ca)
    throw new StepError({
      step: STEP,
      machine: label,
      cause: wrong ?? "",
      action: "is another cluster, or a stranger, at this address? see controlPlane.endpoint",
    });
  return ca.toString();
}

/** The handshake proves that who answers has the first one's key; what the chain is worth is judged by its hash, not by a root. */
function readCertificateChain(port: number): Promise<X509Certificate[]> {
  return new Promise((done, fail) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "kubernetes", rejectUnauthorized: false }, () => {
      const found = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
      done(found);
    });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error("no answer")));
    socket.on("error", fail);
  });
}

function chainOf(first: DetailedPeerCertificate): X509Certificate[] {
  const found: X509Certificate[] = [];
  // The last one is its own issuer.
  for (
    let one: DetailedPeerCertificate | undefined = first;
    one?.raw && !found.some(({ raw }) => raw.equals(one?.raw ?? Buffer.alloc(0)));
    one = one.issuerCertificate
  ) {
    found.push(new X509Certificate(one.raw));
  }
  return found;
}
