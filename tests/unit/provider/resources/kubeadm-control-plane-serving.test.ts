import "reflect-metadata";
import { beforeEach, expect, test, vi } from "vitest";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { controlPlaneResource as resource } from "../../../../provider/resources/kubeadm-control-plane";
import { COMPONENTS, ControlPlaneMachine, PROBE, manifest } from "../../../support/control-plane-machine";

// Whether new pods are healthy is tested with applyManifests itself.
vi.mock("../../../../provider/kubeadm/apply-manifests", async (original) => ({
  ...(await original<object>()),
  applyManifests: async (_context: unknown, _machine: unknown, change: { stages: { write(): Promise<void> }[] }) => {
    for (const { write } of change.stages) await write();
  },
}));

const MANIFESTS = "/etc/kubernetes/manifests";
const API_SERVER = `${MANIFESTS}/kube-apiserver.yaml`;
const FLAG = "kubelet-certificate-authority";
const LINE = `- --${FLAG}=/etc/kubernetes/pki/ca.crt\n`;

let machine: ControlPlaneMachine;
beforeEach(async () => {
  machine = new ControlPlaneMachine();
  const ca = await createAuthority("kubernetes", 10);
  const request = { commonName: "kube-apiserver", usages: ["server" as const], days: 365, dnsNames: ["api"] };
  const { certificate } = await createCertificate(ca, request);
  machine.files.set("/etc/kubernetes/pki/apiserver.crt", { content: certificate, mode: "0644" });
  for (const name of COMPONENTS)
    machine.files.set(`${MANIFESTS}/${name}.yaml`, { content: manifest(name, ""), mode: "0600" });
});

/** Inputs whose documents have the flag or not. */
const inputs = (hasFlag: boolean, kubeletCertificates?: "verified" | "unverified") => ({
  ...machine.target,
  node: "cp-2",
  documents: [
    { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "InitConfiguration", nodeRegistration: { name: "cp-2" } },
    {
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "ClusterConfiguration",
      apiServer: {
        certSANs: ["api"],
        extraArgs: hasFlag ? [{ name: FLAG, value: "/etc/kubernetes/pki/ca.crt" }] : [],
      },
    },
  ],
  ...(kubeletCertificates ? { kubeletCertificates } : {}),
});
const update = (now: ReturnType<typeof inputs>) =>
  resource.update!(machine.context(), "id", now, { inputs: inputs(false), outputs: {} });
const apiServer = () => machine.files.get(API_SERVER)?.content ?? "";

test("the flag is left to KubeletAuthority where the API server runs without it", async () => {
  await update(inputs(true, "verified"));
  expect(machine.placed).toEqual([]);
  expect(apiServer()).not.toContain(FLAG);
});

test("the flag is no drift once KubeletAuthority has added it", async () => {
  const now = inputs(true, "verified");
  const outputs = await update(now);
  machine.files.set(API_SERVER, { content: `${apiServer()}${LINE}`, mode: "0600" });
  const old = { inputs: now, outputs };
  expect(await resource.read!(machine.context(), "id", old)).toEqual(old);
});

test("the flag stays where the API server has it", async () => {
  machine.files.set(API_SERVER, { content: `- kube-apiserver\n${LINE}${PROBE}`, mode: "0600" });
  await update(inputs(true, "verified"));
  expect(apiServer()).toContain(FLAG);
});

test("the flag is in another place than kubeadm writes it, which restarts nothing", async () => {
  const now = inputs(true, "verified");
  (now.documents[1] as { apiServer: { extraArgs: object[] } }).apiServer.extraArgs.push({ name: "v", value: "2" });
  machine.files.set(API_SERVER, { content: `- kube-apiserver\n- --v=2\n${LINE}${PROBE}`, mode: "0600" });
  await update(now);
  expect(machine.placed).toEqual([]);
});

test("the flag of a program of its own, without kubeletCertificates, is written", async () => {
  await update(inputs(true));
  expect(machine.placed).toEqual([API_SERVER]);
  expect(apiServer()).toContain(FLAG);
});

test("the flag is removed where API servers no longer verify kubelets", async () => {
  machine.files.set(API_SERVER, { content: `- kube-apiserver\n${LINE}${PROBE}`, mode: "0600" });
  await update(inputs(false, "unverified"));
  expect(apiServer()).not.toContain(FLAG);
});

test.each<[string, "verified" | "unverified" | undefined, number]>([
  ["cannot become self-signed", undefined, 1],
  ["can be unverified", "unverified", 0],
  ["can stay verified", "verified", 0],
])("verified certificates of kubelets %s", (_, kubeletCertificates, problems) => {
  const found = resource.findImpossibleChanges!(inputs(false, kubeletCertificates), inputs(true, "verified"));
  expect(found.map(({ path }) => path)).toEqual(Array(problems).fill("security.kubeletServingCertificates"));
});
