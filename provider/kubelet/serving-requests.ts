import type { V1CertificateSigningRequest } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { isRequestOf, type ServingNode } from "../../render/kubelet-serving";
import type { KubeApi } from "../kube/api";
import { retryRequest } from "../kube/retry";

const SIGNER = "kubernetes.io/kubelet-serving";
const USAGES = ["digital signature", "server auth"];
const STEP = "approving the kubelet's request for a serving certificate";

/** A request that is not approved. */
export interface RefusedRequest {
  name: string;
  reason: string;
}

/**
 * Approves the pending requests of a node for a serving certificate that have only the node's name and addresses. The
 * controller manager signs them.
 * @returns the requests that it does not approve. They stay pending until the controller manager deletes them
 */
export async function approveServingRequests(
  api: KubeApi,
  node: ServingNode,
  signal: AbortSignal,
): Promise<RefusedRequest[]> {
  const { items } = await retryRequest(api, "listing certificate signing requests", signal, () =>
    api.certificates.listCertificateSigningRequest({ fieldSelector: `spec.signerName=${SIGNER}` }),
  );
  const refused: RefusedRequest[] = [];
  for (const request of items.filter((one) => isPendingRequestOf(one, node))) {
    const reason = findRefusal(request, node);
    if (reason === undefined) await approveRequest(api, request, signal);
    else refused.push({ name: request.metadata?.name ?? "", reason });
  }
  return refused;
}

/** Whether the node has sent the request, and it is neither approved nor denied. */
function isPendingRequestOf({ spec, status }: V1CertificateSigningRequest, { name }: ServingNode): boolean {
  const isPending = (status?.conditions ?? []).length === 0 && !status?.certificate;
  return isPending && spec.signerName === SIGNER && spec.username === `system:node:${name}`;
}

/** Returns why a request that a node has sent is not approved; undefined if it is. */
export function findRefusal({ spec }: V1CertificateSigningRequest, node: ServingNode): string | undefined {
  if (!spec.groups?.includes("system:nodes")) return "its sender is not in the group system:nodes";
  const usages = [...(spec.usages ?? [])].sort();
  if (usages.join() !== USAGES.join()) return `its usages are ${usages.join(", ")}, not ${USAGES.join(", ")}`;
  return isRequestOf(node, Buffer.from(spec.request, "base64").toString("latin1"))
    ? undefined
    : `it is not for ${node.name} with ${node.addresses.join(", ")} only`;
}

async function approveRequest(api: KubeApi, request: V1CertificateSigningRequest, signal: AbortSignal): Promise<void> {
  const approval = {
    type: "Approved",
    status: "True",
    reason: "KubewrightServing",
    message: "sent by the node's kubelet for its own name and addresses",
  };
  const body = { ...request, status: { ...request.status, conditions: [approval] } };
  await retryRequest(api, STEP, signal, () =>
    api.certificates.replaceCertificateSigningRequestApproval({ name: request.metadata?.name ?? "", body }),
  ).catch((error: unknown) => {
    // The timer of a control plane may have approved it: then the next list no longer has it as pending.
    signal.throwIfAborted();
    if (!/conflict|the object has been modified/i.test(String(error))) throw error;
  });
}
