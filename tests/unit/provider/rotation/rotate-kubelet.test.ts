import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { waitUntilUnitHealthy } from "../../../../provider/host/unit-health";
import { proveNodeReported } from "../../../../provider/kubelet/node-reported";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { isIssuedBy } from "../../../../provider/rotation/issued-certificates";
import { bundleIn, type Phase } from "../../../../provider/rotation/phases";
import { changeScript, rotateKubelet } from "../../../../provider/rotation/rotate-kubelet";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("../../../../provider/host/unit-health", () => ({ waitUntilUnitHealthy: vi.fn() }));
vi.mock("../../../../provider/kubelet/node-reported", () => ({
  wasReady: () => Promise.resolve(true),
  proveNodeReported: vi.fn(),
}));

const SERVER = "/var/lib/kubelet/pki/kubelet-server-current.pem";

let [previous, next]: Identity[] = [];
let client: Identity;
beforeAll(async () => {
  [previous, next] = await Promise.all([createAuthority("kubernetes", 10), createAuthority("kubernetes", 10)]);
  const subject = { commonName: "system:node:worker-1", organizations: ["system:nodes"] };
  client = await createCertificate(previous, { ...subject, usages: ["client"], days: 1 });
});

/** Certificate and key that arrived for the kubelet, before they are placed. */
let arrived: string | undefined;
let arrivedServer: string | undefined;
/** The certificate that the kubelet serves, if the cluster's CA signs it. */
let serving: string;
let machine: MemoryMachine;
let order: string[];
beforeEach(() => {
  [machine, arrived, arrivedServer, order, serving] = [new MemoryMachine(), undefined, undefined, [], ""];
  machine.on(/for file in \S+kubelet-server-current\.pem/, () => serving && `file ${SERVER}\n${serving}`);
  machine.on(/former CAs/, () => `${client.certificate}--- CA ---\n${previous!.certificate}--- former CAs ---\n`);
  machine.on(/previous-kubelet/, (script) => (order.push(nameOf(script)), ""));
  machine.on(/place \S+ca-rotation\/kubelet\/ca\.crt/, () => {
    order.push("change");
    [arrived, arrivedServer] = ["client", "server"].map(
      (kind) => machine.files.get(`/var/lib/kubewright/ca-rotation/kubelet/${kind}.pem`)?.content,
    );
    return "";
  });
  vi.mocked(waitUntilUnitHealthy).mockReset();
  vi.mocked(proveNodeReported).mockReset();
  vi.mocked(proveNodeReported).mockImplementation(async () => void order.push("prove"));
});

function nameOf(script: string): string {
  if (script.startsWith("rm -rf")) return "drop";
  return script.includes("readlink") ? "keep" : "restore";
}

async function rotate(phase: Phase, authority?: Identity): Promise<void> {
  const context = machine.context();
  const record = { id: "r1", authorities: ["cluster" as const], phase, isDone: false };
  const bundle = bundleIn(phase, { previous: previous!.certificate, next: next!.certificate });
  const remote = context.connections.get(machine.connection);
  await rotateKubelet(context, remote, { record, bundle, authority, controlPlanes: [machine.connection] });
}

test("the kubelet gets the bundle, restarts, and is proved; a second run skips it", async () => {
  await rotate("trust");
  expect(order).toEqual(["keep", "change", "prove", "drop"]);
  expect(arrived).toBeUndefined();
  await rotate("trust");
  expect(order).toHaveLength(4);
});

test("in the phase reissue it gets a client certificate of the new CA for its own node", async () => {
  await rotate("reissue", next);
  const certificate = new X509Certificate(arrived!);
  expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:worker-1");
  expect(isIssuedBy(certificate, new X509Certificate(next!.certificate))).toBe(true);
  expect(isIssuedBy(certificate, new X509Certificate(previous!.certificate))).toBe(false);
  expect(arrived).toContain("PRIVATE KEY");
  expect(machine.scripts.join("\n")).not.toContain("PRIVATE KEY");
});

test("in the phase reissue it serves a certificate of the new CA with the names of the one before", async () => {
  const names = { dnsNames: ["worker-1"], ipAddresses: ["10.0.0.2", "fd00::2"] };
  const subject = { commonName: "system:node:worker-1", organizations: ["system:nodes"] };
  serving = (await createCertificate(previous!, { ...subject, ...names, usages: ["server"], days: 1 })).certificate;
  await rotate("reissue", next);
  const certificate = new X509Certificate(arrivedServer!);
  expect(isIssuedBy(certificate, new X509Certificate(next!.certificate))).toBe(true);
  expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:worker-1");
  expect(certificate.subjectAltName).toBe(new X509Certificate(serving).subjectAltName);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

test("a kubelet that signs its serving certificate itself gets none", async () => {
  await rotate("reissue", next);
  expect(arrivedServer).toBeUndefined();
});

test("a kubelet whose node does not become Ready gets its previous files back", async () => {
  vi.mocked(proveNodeReported).mockRejectedValueOnce(new Error("x509: unknown authority"));
  await expect(rotate("reissue", next)).rejects.toThrow(/unknown authority[^]*previous files were restored/);
  expect(order).toEqual(["keep", "change", "restore", "prove", "drop"]);
  await rotate("reissue", next);
  expect(order.slice(5)).toEqual(["keep", "change", "prove", "drop"]);
});

test("the link to a certificate is replaced in one step, and only where there is a new one", () => {
  const link = "/var/lib/kubelet/pki/kubelet-client-current.pem";
  const certificate = { arrived: "/a/client.pem", path: "/var/lib/kubelet/pki/kubelet-client-1.pem", link };
  expect(changeScript([certificate])).toContain(`mv -fT ${link}.new ${link}`);
  expect(changeScript([])).not.toContain("current.pem");
});
