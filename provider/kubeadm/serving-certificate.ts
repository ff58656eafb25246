import { X509Certificate } from "node:crypto";
import { StepError, messageOf } from "../../common/errors";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { toYaml } from "../../render/kubeadm-documents";
import { PKI } from "../../render/component-paths";
import { readContents } from "../host/files";
import { API_PORT } from "../kube/clients";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { waitUntilServed } from "./served-certificate";

const CERTIFICATE = `${PKI}/apiserver.crt`;
/** On the file system of the PKI, so that a rename places the new pair. */
const STAGING = "/etc/kubernetes/tmp/kubewright-apiserver";
const STEP = "issuing the API server's certificate";
const SECONDS = 60;

type Reporter = Pick<Context, "signal" | "status">;

/** Returns the names and addresses of the configuration that the API server's certificate on the machine lacks. */
export async function missingNames(
  machine: Remote,
  documents: readonly KubeadmDocument[],
  signal: AbortSignal,
): Promise<string[]> {
  const pem = (await readContents(machine, [CERTIFICATE], signal)).get(CERTIFICATE);
  return namesWithout(documents, pem);
}

function namesWithout(documents: readonly KubeadmDocument[], pem: string | undefined): string[] {
  const wanted = documents.flatMap((document) =>
    document.kind === "ClusterConfiguration"
      ? ((document as { apiServer?: { certSANs?: string[] } }).apiServer?.certSANs ?? [])
      : [],
  );
  if (pem === undefined) return wanted;
  const present = new X509Certificate(pem).subjectAltName ?? "";
  const names = new Set(present.split(", ").map((entry) => entry.replace(/^(DNS|IP Address):/, "").toLowerCase()));
  return wanted.filter((name) => !names.has(name.toLowerCase()));
}

/**
 * Issues a new certificate for the API server if the present one lacks a name, and waits until it is served. The API
 * server reads the files again without a restart. The previous pair is restored if the new one is not served.
 * @returns whether a certificate was issued
 */
export async function ensureServingCertificate(
  context: Reporter,
  machine: Remote,
  documents: readonly KubeadmDocument[],
): Promise<boolean> {
  const { signal, status } = context;
  const missing = await missingNames(machine, documents, signal);
  if (missing.length === 0) return false;
  status(`${STEP} for ${missing.join(", ")}`);
  const stdin = toYaml(documents.map((document) => withCertificatesDir(document)));
  await machine.run(ISSUE, {
    step: STEP,
    signal,
    timeout: SECONDS,
    stdin,
    action: "restore the CA's key if it is lost",
  });
  const pem = (await readContents(machine, [CERTIFICATE], signal)).get(CERTIFICATE) ?? "";
  const still = namesWithout(documents, pem);
  try {
    if (still.length > 0) throw new Error(`the new certificate lacks ${still.join(", ")}`);
    await waitUntilServed(context, machine, {
      server: "the API server",
      port: API_PORT,
      fingerprint: new X509Certificate(pem).fingerprint256,
      consequence: "; the previous certificate was restored",
      action: "run `crictl logs` for kube-apiserver on the machine, then run again",
    });
  } catch (error) {
    signal.throwIfAborted();
    await machine.run(RESTORE, { step: "restoring the API server's certificate", signal });
    throw error instanceof StepError
      ? error
      : new StepError({ step: STEP, machine: machine.label, cause: messageOf(error) });
  }
  await machine.run(`rm -rf ${STAGING}`, { step: STEP, signal });
  return true;
}

function withCertificatesDir(document: KubeadmDocument): KubeadmDocument {
  return document.kind === "ClusterConfiguration"
    ? ({ ...document, certificatesDir: STAGING } as KubeadmDocument)
    : document;
}

/**
 * kubeadm keeps a certificate that exists, whatever its names. So the new one is issued in a folder of its own and then
 * moved into place.
 */
const ISSUE = `set -e
rm -rf ${STAGING}
mkdir -p -m 700 ${STAGING}
cat > ${STAGING}/kubeadm.yaml
cp -p ${PKI}/ca.crt ${PKI}/ca.key ${STAGING}/
kubeadm init phase certs apiserver --config ${STAGING}/kubeadm.yaml 2>&1
rm -f ${STAGING}/ca.key
mkdir -m 700 ${STAGING}/previous
for file in apiserver.key apiserver.crt; do
  [ ! -e ${PKI}/$file ] || cp -p ${PKI}/$file ${STAGING}/previous/
done
mv -fT ${STAGING}/apiserver.key ${PKI}/apiserver.key
mv -fT ${STAGING}/apiserver.crt ${PKI}/apiserver.crt`;

const RESTORE = `set -e
for file in apiserver.key apiserver.crt; do
  [ ! -e ${STAGING}/previous/$file ] || mv -fT ${STAGING}/previous/$file ${PKI}/$file
done
rm -rf ${STAGING}`;
