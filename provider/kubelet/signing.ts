import { Pkcs10CertificateRequest } from "@peculiar/x509";
import type { V1CertificateSigningRequest } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../kube/api";
import { retryRequest } from "../kube/retry";
import { tokenId } from "../kube/bootstrap-token";
import { sign, type Identity } from "../pki/x509";

const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
const DAYS = 365;

export interface ExpectedRequest {
  node: string;
  token: string;
}

/**
 * Signs the request for a client certificate that this node's kubelet made with this join's token, as the controller manager does where
 * there is one: what is not exactly that is left alone.
 */
export async function signKubeletRequests(
  api: KubeApi,
  authority: Identity,
  expected: ExpectedRequest,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await retryRequest(api, "listing signing requests", signal, () =>
    api.certificates.listCertificateSigningRequest(),
  );
  for (const request of items) {
    if (request.status?.certificate || !(await isExpectedRequest(request, expected))) continue;
    const key = parseRequest(request).publicKey.toString("pem");
    const certificate = await sign(authority, key, {
      commonName: `system:node:${expected.node}`,
      organizations: ["system:nodes"],
      usages: ["client"],
      days: DAYS,
    });
    await approveRequest(api, request, certificate, signal);
  }
}

/** Its words, its signature, and who has sent it. */
export async function isExpectedRequest(
  { spec }: V1CertificateSigningRequest,
  { node, token }: ExpectedRequest,
): Promise<boolean> {
  if (spec.signerName !== SIGNER || spec.username !== `system:bootstrap:${tokenId(token)}`) return false;
  if (!(spec.usages ?? []).every((usage) => ["client auth", "digital signature", "key encipherment"].includes(usage)))
    return false;
  const pkcs10 = parseRequest({ spec });
  const { subjectName } = pkcs10;
  const named =
    subjectName.getField("CN").join() === `system:node:${node}` && subjectName.getField("O").join() === "system:nodes";
  // Names of its own would be those of a server.
  return named && pkcs10.extensions.length === 0 && (await pkcs10.verify());
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
  const name = request.metadata?.name ?? "";
  const approved = {
    type: "Approved",
    status: "True",
    reason: "KubewrightJoin",
    message: "made by this node's kubelet with its own join token",
  };
  const conditions = [...(request.status?.conditions ?? []), approved];
  const step = "signing the kubelet's certificate";
  const seen = await retryRequest(api, step, signal, () =>
    api.certificates.replaceCertificateSigningRequestApproval({
      name,
      body: { ...request, status: { ...request.status, conditions } },
    }),
  );
  const body = { ...seen, status: { ...seen.status, certificate: Buffer.from(certificate).toString("base64") } };
  await retryRequest(api, step, signal, () => api.certificates.replaceCertificateSigningRequestStatus({ name, body }));
}
