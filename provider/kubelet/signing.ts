import { Pkcs10CertificateRequest } from "@peculiar/x509";
import type { V1CertificateSigningRequest } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../kube/api";
import { tokenId } from "../kube/bootstrap-token";
import { retryRequest } from "../kube/retry";
import { signCertificate, type Identity } from "../pki/x509";

const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
const VALIDITY_DAYS = 365;
const ALLOWED_USAGES = ["client auth", "digital signature", "key encipherment"];

export interface ExpectedRequest {
  node: string;
  token: string;
}

/**
 * Approves and signs the client certificate request that the node's kubelet created with its join token, as the
 * controller manager does in a cluster that has one. Ignores all other requests.
 */
export async function signKubeletRequests(
  api: KubeApi,
  authority: Identity,
  expected: ExpectedRequest,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await retryRequest(api, "listing certificate signing requests", signal, () =>
    api.certificates.listCertificateSigningRequest(),
  );
  for (const request of items) {
    if (request.status?.certificate || !(await isExpectedRequest(request, expected))) continue;
    const key = parseRequest(request).publicKey.toString("pem");
    const certificate = await signCertificate(authority, key, {
      commonName: `system:node:${expected.node}`,
      organizations: ["system:nodes"],
      usages: ["client"],
      days: VALIDITY_DAYS,
    });
    await approveRequest(api, request, certificate, signal);
  }
}

/** Returns whether a request is for the node's client certificate, was sent with its token and is signed by its key. */
export async function isExpectedRequest(
  { spec }: V1CertificateSigningRequest,
  { node, token }: ExpectedRequest,
): Promise<boolean> {
  if (spec.signerName !== SIGNER || spec.username !== `system:bootstrap:${tokenId(token)}`) return false;
  if (!(spec.usages ?? []).every((usage) => ALLOWED_USAGES.includes(usage))) return false;
  const request = parseRequest({ spec });
  const { subjectName } = request;
  const isNode =
    subjectName.getField("CN").join() === `system:node:${node}` && subjectName.getField("O").join() === "system:nodes";
  // A subject alternative name would make it a server certificate.
  return isNode && request.extensions.length === 0 && (await request.verify());
}

function parseRequest({ spec }: Pick<V1CertificateSigningRequest, "spec">): Pkcs10CertificateRequest {
  return new Pkcs10CertificateRequest(Buffer.from(spec.request, "base64").toString());
}

async function approveRequest(
  api: KubeApi,
  request: V1CertificateSigningRequest,
  certificate: string,
  signal: AbortSignal,
): Promise<void> {
  const step = "signing the kubelet's certificate";
  const name = request.metadata?.name ?? "";
  const approval = {
    type: "Approved",
    status: "True",
    reason: "KubewrightJoin",
    message: "created by this node's kubelet with its join token",
  };
  const conditions = [...(request.status?.conditions ?? []), approval];
  const approved = await retryRequest(api, step, signal, () =>
    api.certificates.replaceCertificateSigningRequestApproval({
      name,
      body: { ...request, status: { ...request.status, conditions } },
    }),
  );
  const status = { ...approved.status, certificate: Buffer.from(certificate).toString("base64") };
  await retryRequest(api, step, signal, () =>
    api.certificates.replaceCertificateSigningRequestStatus({ name, body: { ...approved, status } }),
  );
}
