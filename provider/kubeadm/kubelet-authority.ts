import { KUBELET_CA_FILE, KUBELET_CA_FLAG } from "../../render/kubelet-serving";
import type { Argument, ClusterConfiguration, KubeadmDocument } from "../../render/kubeadm-types";

const ARGUMENT = `- --${KUBELET_CA_FLAG}=${KUBELET_CA_FILE}\n`;
const LINE = new RegExp(`^ *${ARGUMENT}`, "m");
/** A flag that kubeadm always sets. */
const NEXT = /^( *)- --kubelet-client-certificate=/m;

/** Returns whether an API server verifies the certificates of kubelets, by its manifest. */
export function verifiesKubelets(manifest: string): boolean {
  return LINE.test(manifest);
}

/** Returns an API server's manifest with the flag. @throws Error if kubeadm has not written it */
export function withKubeletAuthority(manifest: string): string {
  if (verifiesKubelets(manifest)) return manifest;
  if (!NEXT.test(manifest)) throw new Error("the API server's manifest has no --kubelet-client-certificate");
  return manifest.replace(NEXT, (next, indentation: string) => indentation + ARGUMENT + next);
}

/** Returns an API server's manifest without the flag. */
export function withoutKubeletAuthority(manifest: string): string {
  return manifest.replace(LINE, "");
}

/**
 * Returns a rendered manifest with the flag where the current one has it. kubeadm writes it after its own flags: the
 * place alone must not restart the API server.
 */
export function keepPlace(rendered: string, current = ""): string {
  const isSame = verifiesKubelets(rendered) && verifiesKubelets(current);
  return isSame && withoutKubeletAuthority(rendered) === withoutKubeletAuthority(current) ? current : rendered;
}

/**
 * Returns the documents without the flag where the API server runs without it: it must not verify kubelets before all
 * of them have a certificate.
 * @param manifest that of the API server; undefined if there is none yet
 */
export function keepKubeletAuthority<T extends KubeadmDocument>(documents: readonly T[], manifest?: string): T[] {
  return manifest === undefined || verifiesKubelets(manifest) ? [...documents] : withoutKubeletFlag(documents);
}

/** Returns kubeadm's documents without the flag. */
export function withoutKubeletFlag<T extends KubeadmDocument>(documents: readonly T[]): T[] {
  return documents.map((document) =>
    document.kind === "ClusterConfiguration" ? withoutFlag(document as ClusterConfiguration & T) : document,
  );
}

/** Documents of a program that uses the resource itself may leave the API server out. */
function withoutFlag<T extends Partial<ClusterConfiguration>>(document: T): T {
  if (!document.apiServer) return document;
  const { extraArgs = [], ...apiServer } = document.apiServer;
  return { ...document, apiServer: { ...apiServer, extraArgs: extraArgs.filter((one) => !isFlag(one)) } };
}

function isFlag({ name, value }: Argument): boolean {
  return name === KUBELET_CA_FLAG && value === KUBELET_CA_FILE;
}
