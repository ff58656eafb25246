import { beforeEach, describe, expect, test } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import { approveServingRequests, findRefusal } from "../../../../provider/kubelet/serving-requests";
import { httpError } from "../../../support/memory-api";
import { pemOf, pendingRequest } from "../../../support/serving-requests";

const NODE = { name: "worker-1", addresses: ["10.0.0.12"] };
const own = (name = "csr-1", changes = {}) => pendingRequest(name, pemOf("own"), changes);

let requests: ReturnType<typeof pendingRequest>[];
let approvals: { name: string; body: { status: object } }[];
let failure: Error | undefined;
beforeEach(() => {
  requests = [];
  approvals = [];
  failure = undefined;
});

function approve() {
  const certificates = {
    listCertificateSigningRequest: async () => ({ items: requests }),
    replaceCertificateSigningRequestApproval: async (approval: (typeof approvals)[number]) => {
      if (failure) throw failure;
      approvals.push(approval);
    },
  };
  const api = { certificates, patience: 1 } as unknown as KubeApi;
  return approveServingRequests(api, NODE, new AbortController().signal);
}

test("the request of the node's kubelet is approved", async () => {
  requests = [own()];
  expect(await approve()).toEqual([]);
  expect(approvals).toMatchObject([{ name: "csr-1", body: { status: { conditions: [{ type: "Approved" }] } } }]);
});

test("a request with a stranger's address is not approved, and the one beside it is", async () => {
  requests = [pendingRequest("csr-1", pemOf("strangerAddress")), own("csr-2")];
  expect(await approve()).toEqual([{ name: "csr-1", reason: "it is not for worker-1 with 10.0.0.12 only" }]);
  expect(approvals.map(({ name }) => name)).toEqual(["csr-2"]);
});

test.each<[string, ReturnType<typeof pendingRequest>]>([
  ["of another node", own("csr-1", { username: "system:node:worker-2" })],
  ["of another signer", own("csr-1", { signerName: "kubernetes.io/kube-apiserver-client-kubelet" })],
  ["that is approved", { ...own(), status: { conditions: [{ type: "Approved" }] } }],
  ["that is denied", { ...own(), status: { conditions: [{ type: "Denied" }] } }],
  ["that is signed", { ...own(), status: { certificate: "LS0t" } }],
])("a request %s is not of concern", async (_, request) => {
  requests = [request];
  expect(await approve()).toEqual([]);
  expect(approvals).toEqual([]);
});

test("a request that a timer approves in the same moment is no failure", async () => {
  requests = [own()];
  failure = httpError(409, "Operation cannot be fulfilled: the object has been modified");
  expect(await approve()).toEqual([]);
});

test("an API server that refuses the approval is a failure", async () => {
  requests = [own()];
  failure = httpError(403, "forbidden");
  await expect(approve()).rejects.toThrow("approving the kubelet's request for a serving certificate failed");
});

describe("a request of the node is refused", () => {
  test.each<[string, string, ReturnType<typeof pendingRequest>]>([
    ["with an additional name", "it is not for", pendingRequest("csr-1", pemOf("additionalName"))],
    ["for another node", "it is not for", pendingRequest("csr-1", pemOf("otherNode"))],
    ["before another request", "it is not for", pendingRequest("csr-1", pemOf("own") + pemOf("otherNode"))],
    ["outside of system:nodes", "not in the group", own("csr-1", { groups: ["system:authenticated"] })],
    ["for a client certificate", "its usages are", own("csr-1", { usages: ["digital signature", "client auth"] })],
    [
      "for more usages",
      "its usages are client auth, digital signature, server auth, not",
      own("csr-1", { usages: ["digital signature", "server auth", "client auth"] }),
    ],
  ])("%s", (_, reason, request) => {
    expect(findRefusal(request, NODE)).toContain(reason);
  });
});
