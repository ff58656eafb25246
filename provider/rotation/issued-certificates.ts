import { X509Certificate } from "node:crypto";
import { StepError } from "../../common/errors";
import { commandLine } from "../../common/quote";
import { KUBERNETES, PKI } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";

/** Name of the kubelet's serving certificate. It does not exist where the kubelet signs what it serves itself. */
export const KUBELET_SERVER = "kubelet server";
/** Names of the kubelet's certificates, which kubeadm does not renew. */
export const KUBELET_LEAVES = ["kubelet client", KUBELET_SERVER] as const;

/** Returns the path of a leaf by its name in `kubeadm certs renew`. */
export function leafPath(name: string): string {
  if (name.startsWith("kubelet ")) return `/var/lib/kubelet/pki/${name.replace(" ", "-")}-current.pem`;
  return name.endsWith(".conf") ? `${KUBERNETES}/${name}` : `${PKI}/${name.replace(/^etcd-/, "etcd/")}.crt`;
}

/** Whether a certificate was issued by a CA: by its name and by its key, because a new CA has the name of the old. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/**
 * Returns the leaves of a control plane by name. A leaf that does not exist is absent: control planes of older versions
 * have no `super-admin.conf`. Private keys stay on the machine.
 */
export async function readLeaves(
  machine: Remote,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, X509Certificate>> {
  const script = `for file in ${commandLine(names.map(leafPath))}; do
  [ -f "$file" ] || continue
  echo "file $file"
  case "$file" in
    *.conf) sed -n 's/^ *client-certificate-data: *//p' "$file" | base64 -d ;;
    *) sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' "$file" ;;
  esac
done
true`;
  const { stdout } = await machine.read(script, { step: "reading the issued certificates", signal });
  const blocks = stdout.split(/^file /m).slice(1);
  const byPath = new Map(blocks.map((block) => [block.split("\n", 1)[0], block.slice(block.indexOf("\n") + 1)]));
  return new Map(
    names.flatMap((name): [string, X509Certificate][] => {
      const pem = byPath.get(leafPath(name));
      return pem?.includes("BEGIN CERTIFICATE") ? [[name, new X509Certificate(pem)]] : [];
    }),
  );
}

/** @throws StepError for leaves that another CA has issued */
export async function requireIssued(
  machine: Remote,
  leaves: ReadonlyMap<string, X509Certificate>,
  authorityOf: (name: string) => string,
): Promise<void> {
  const others = [...leaves].filter(([name, leaf]) => !isIssuedBy(leaf, new X509Certificate(authorityOf(name))));
  if (others.length === 0) return;
  throw new StepError({
    step: "reissuing certificates",
    machine: machine.label,
    cause: `${others.map(([name]) => name).join(", ")}: not issued by the new CA`,
    action: "see the output of `kubeadm certs check-expiration` there, then run the command again",
  });
}
