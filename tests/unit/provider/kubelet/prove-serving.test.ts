import { beforeEach, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import { proveServingCertificate } from "../../../../provider/kubelet/prove-serving";
import type { Remote } from "../../../../provider/ssh/remote";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryMachine } from "../../../support/memory-machine";
import { pemOf, pendingRequest } from "../../../support/serving-requests";

const probe = vi.hoisted(() => vi.fn());
vi.mock("../../../../provider/ssh/tls-probe", () => ({ probeCertificate: probe }));
vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const NO_CERTIFICATE = "worker-1, port 10250: SSL routines:ssl3_read_bytes:tlsv1 alert internal error: alert number 80";
let machine: MemoryMachine;
let requests: ReturnType<typeof pendingRequest>[];
let approved: string[];
let warnings: string[];
beforeEach(() => {
  machine = new MemoryMachine();
  machine.on(/echo member/, () => "member\n");
  machine.on(/journalctl/, () => "kubelet: no serving certificate available\n");
  requests = [];
  approved = [];
  warnings = [];
  // As a kubelet does whose certificate is signed when its request is approved.
  probe.mockReset();
  probe.mockImplementation(async () => {
    if (approved.length === 0) throw new Error(NO_CERTIFICATE);
  });
});

function prove(servingAddresses: string[] | undefined = ["10.0.0.12"]) {
  const certificates = {
    listCertificateSigningRequest: async () => ({
      items: requests.filter(({ metadata }) => !approved.includes(metadata.name)),
    }),
    replaceCertificateSigningRequestApproval: async ({ name }: { name: string }) => void approved.push(name),
  };
  const context = machine.context({ warn: (message) => void warnings.push(message) });
  context.kube.api = async () => ({ certificates, caCertificate: "ca", patience: 1 }) as unknown as KubeApi;
  const kubelet = { name: "worker-1", controlPlanes: [machine.connection], servingAddresses };
  return settle(proveServingCertificate(context, machine as unknown as Remote, kubelet));
}
const deletions = () => machine.scripts.filter((script) => script.includes("rm -f kubelet.crt kubelet.key"));

test("a kubelet serves its certificate when its request is approved", async () => {
  setTimeout(() => requests.push(pendingRequest("csr-1", pemOf("own"))), 2_000);
  await prove();
  expect(approved).toEqual(["csr-1"]);
  expect(probe).toHaveBeenCalledWith(machine, 10_250, { host: "10.0.0.12", address: "10.0.0.12", ca: "ca" });
});

test("the self-signed certificate is deleted once the other one is served", async () => {
  requests = [pendingRequest("csr-1", pemOf("own"))];
  await prove();
  expect(deletions()).toHaveLength(1);
});

test("a kubelet that serves its certificate needs no request", async () => {
  probe.mockResolvedValue(undefined);
  requests = [pendingRequest("csr-1", pemOf("own"))];
  await prove();
  expect(approved).toEqual([]);
});

test("a request with a stranger's address is reported once, and the kubelet is not healthy", async () => {
  requests = [pendingRequest("csr-1", pemOf("strangerAddress"))];
  await expect(prove()).rejects.toThrow(
    /no serving certificate yet; request csr-1 is not approved: it is not for worker-1 with 10.0.0.12 only:\nkubelet: /,
  );
  expect(approved).toEqual([]);
  expect(deletions()).toEqual([]);
  expect(warnings).toEqual([
    "worker-1 (10.0.0.1): the request csr-1 was not approved: it is not for worker-1 with 10.0.0.12 only",
  ]);
});

test("a certificate that is not valid for the address does not count", async () => {
  probe.mockResolvedValue("worker-1, port 10250: ERR_TLS_CERT_ALTNAME_INVALID");
  await expect(prove()).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
});

test("a machine that is no member of a cluster is left alone", async () => {
  machine.on(/echo member/, () => "");
  await prove();
  expect(probe).not.toHaveBeenCalled();
});

test("a kubelet whose certificate is self-signed is left alone", async () => {
  await prove([]);
  expect(machine.scripts).toEqual([]);
});
