import { X509Certificate } from "node:crypto";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { caCertHash } from "../pki/ca-cert-hash";
import { knownHashes } from "../pki/former-authorities";
import { FORMER_AUTHORITIES } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";

const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";
const CLIENT_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";
const CA_CERTIFICATE = "/etc/kubernetes/pki/ca.crt";
const SEPARATOR = "--- CA ---";
const FORMER_SEPARATOR = "--- former CAs ---";

/** The cluster and the node name under which a machine's kubelet has joined. */
export interface Membership {
  node: string;
  /** `sha256:<hex>` of the cluster CA's public key. */
  caCertHash: string;
  /** Hashes of further CAs of the same cluster, which a rotation has added or replaced. Absent without a rotation. */
  otherHashes?: readonly string[];
}

/** Prints certificates only: the kubelet's file also holds its private key. */
const SCRIPT = `[ -e ${KUBELET_CONF} ] || exit 0
sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' ${CLIENT_CERTIFICATE} 2>/dev/null
echo '${SEPARATOR}'
cat ${CA_CERTIFICATE} 2>/dev/null
echo '${FORMER_SEPARATOR}'
cat ${FORMER_AUTHORITIES} 2>/dev/null
true`;

/** Reads the membership of a machine. @returns undefined when its kubelet has no certificate of a cluster */
export async function readMembership(machine: Remote, signal: AbortSignal): Promise<Membership | undefined> {
  const { stdout } = await machine.read(SCRIPT, { step: "reading the machine's membership", signal });
  const [client = "", authorities = ""] = stdout.split(SEPARATOR);
  const [ca = "", former] = authorities.split(FORMER_SEPARATOR);
  if (!client.includes("BEGIN CERTIFICATE") || !ca.includes("BEGIN CERTIFICATE")) return undefined;
  const [, node] = /^CN=system:node:(.*)$/m.exec(new X509Certificate(client).subject) ?? [];
  if (node === undefined) return undefined;
  const hash = caCertHash(ca);
  const others = knownHashes(ca, former).filter((other) => other !== hash);
  return { node, caCertHash: hash, ...optional({ otherHashes: others.length > 0 ? others : undefined }) };
}

/** Whether a membership is one of the cluster whose CA has, or had before a rotation, this hash. */
export function isOfCluster({ caCertHash: hash, otherHashes = [] }: Membership, expected: string): boolean {
  return hash === expected || otherHashes.includes(expected);
}

/** Describes how a machine's membership differs from the expected one. @returns undefined when it does not */
export function describeMismatch(actual: Membership, expected: Membership): string | undefined {
  if (!isOfCluster(actual, expected.caCertHash)) return `a member of another cluster, as node ${actual.node}`;
  if (actual.node !== expected.node) return `a member of this cluster as node ${actual.node}, not ${expected.node}`;
  return undefined;
}

/** @throws StepError when the machine is a member of another cluster, or under another name */
export function rejectMismatch(machine: Remote, actual: Membership | undefined, expected: Membership): void {
  const mismatch = actual && describeMismatch(actual, expected);
  if (mismatch === undefined) return;
  throw new StepError({
    step: "kubeadm join",
    machine: machine.label,
    cause: `this machine is ${mismatch}`,
    action:
      "to rename a node, first remove its host from the configuration and run again, then add it under the new name; " +
      "for a machine of another cluster, run `kubeadm reset` on it first",
  });
}
