import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { parseConfig } from "../../../components/config";
import { createFromConfig } from "../../../components/configured-cluster";
import { golden } from "../render/samples";
import { type Registration, recordRegistrations } from "../../support/registrations";

/** The program of index.ts with a configuration of its own. */
function program(raw: object): void {
  const config = parseConfig(raw, { kubernetesVersions: ["1.36.3", "1.35.4"], fileExists: () => true });
  createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
}

const rung = (name: string, more: object = {}) => ({ bootstrap: "components", rung: name, ...more });
const hosts = ["boss", "hand-1", "hand-2"].map((name, index) => ({
  name,
  host: `192.0.2.${index + 1}`,
  privateKeyPath: "/keys/id",
  role: index === 0 ? "control-plane" : "worker",
}));

test.each<[string, object]>([
  ["kubeadm-1-control-plane-2-workers", {}],
  [
    "kubeadm-3-control-planes-2-workers",
    { controlPlane: { count: 3 }, pools: { gpu: { count: 1, version: "1.35.4" } } },
  ],
  [
    "kubeadm-encryption",
    { controlPlane: { count: 3 }, workers: { count: 1 }, security: { encryption: { provider: "secretbox" } } },
  ],
  [
    "kubeadm-serving-certificates",
    {
      controlPlane: { count: 3 },
      workers: { count: 1, extraArgs: { kubelet: { "node-ip": "10.0.0.7,fd00::7" } } },
      security: { kubeletServingCertificates: "cluster" },
    },
  ],
  [
    "kubeadm-scheduled-backups",
    {
      ...{ controlPlane: { count: 3 }, workers: { count: 1 } },
      backup: {
        ...{
          schedule: "daily",
          drillSchedule: "weekly",
          repository: "s3:https://s3.example.com/bucket",
          password: "the password",
        },
        s3: { accessKeyId: "the id", secretAccessKey: "the secret" },
      },
    },
  ],
  ["kubeadm-listed-hosts", { machines: { kind: "ssh", ssh: { hosts } } }],
  ["kubeadm-hetzner", { machines: { kind: "hetzner" }, network: { flannel: { backend: "vxlan" } } }],
  ["docker-runtime", { runtime: "docker" }],
  ["ladder-kubelet", rung("kubelet")],
  ["ladder-etcd", rung("etcd")],
  ["ladder-apiserver", rung("apiserver")],
  ["ladder-scheduler", rung("scheduler")],
  ["ladder-controllers", rung("controllers")],
  ["ladder-proxy", rung("proxy")],
  ["ladder-dns", rung("dns")],
  ["ladder-dns-systemd", rung("dns", { controlPlane: { runAs: "systemd" } })],
  ["ladder-encryption", rung("apiserver", { security: { encryption: { provider: "aesgcm" } }, workers: { count: 0 } })],
  ["ladder-bridge", rung("dns", { network: { plugin: "bridge" }, workers: { count: 0 } })],
])("%s registers the same resources, with the same dependencies", async (name, raw) => {
  const registrations = await recordRegistrations(() => program(raw));
  await expect(registrations.map(render).join("\n")).toMatchFileSnapshot(golden(`graph/${name}.txt`));
});

test.each<[string, object]>([
  ["kubeadm", { controlPlane: { count: 3 } }],
  ["the ladder", rung("dns")],
])("flannel's pods are replaced after all nodes have its image, with %s", async (_, raw) => {
  const registrations = await recordRegistrations(() => program(raw));
  const images = registrations
    .filter(({ type }) => type === "kubewright:host:Images")
    .map(({ type, name }) => `${type} ${name}`);
  const before = dependenciesOf(registrations, "kubewright:kube:DaemonSetRollout dev-flannel-pods");
  expect(images.length).toBeGreaterThan(2);
  expect(images.filter((name) => !before.has(name))).toEqual([]);
});

test("on the ladder, kubelets change after the control plane, and its own before the workers'", async () => {
  const registrations = await recordRegistrations(() => program(rung("dns")));
  const before = (node: string) => dependenciesOf(registrations, `kubewright:kube:Node ${node}-node`);
  const components = ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"];
  for (const component of components)
    expect(before("control-plane-1")).toContain(`kubewright:host:StaticPod control-plane-1-${component}`);
  for (const worker of ["worker-1", "worker-2"])
    expect(before(worker)).toContain("kubewright:kube:Node control-plane-1-node");
});

test.each([
  ["etcd", undefined],
  ["apiserver", true],
])("on the rung %s, a kubelet is replaced by its node if it has one, and else by its unit", async (name, keeps) => {
  const registrations = await recordRegistrations(() => program(rung(name)));
  const inputsOf = (id: string) => registrations.find(({ type, name: own }) => `${type} ${own}` === id)?.inputs;
  const kubelet = inputsOf("kubewright:host:Unit worker-1-kubelet");
  expect(kubelet?.keepsProgram).toBe(keeps);
  expect(kubelet?.node).not.toHaveProperty("version");
  expect(inputsOf("kubewright:host:Binaries worker-1-binaries")?.staged).toMatchObject({
    whileExists: "/etc/kubernetes/kubelet.conf",
  });
  for (const node of keeps ? ["control-plane-1", "worker-1"] : [])
    expect(inputsOf(`kubewright:kube:Node ${node}-node`)).toMatchObject({
      version: "1.36.3",
      program: expect.any(String) as string,
      usesKubeadm: false,
    });
});

test("on the ladder, the pods of kube-proxy and CoreDNS change after all nodes", async () => {
  const registrations = await recordRegistrations(() => program(rung("dns")));
  const nodes = ["control-plane-1", "worker-1", "worker-2"].map((name) => `kubewright:kube:Node ${name}-node`);
  for (const id of ["DaemonSetRollout dev-kube-proxy-pods", "Manifests dev-coredns-objects", "Rollout dev-coredns"])
    expect([...dependenciesOf(registrations, `kubewright:kube:${id}`)]).toEqual(expect.arrayContaining(nodes));
});

test("with kubeadm, kube-proxy and CoreDNS change after all nodes, which have their images by then", async () => {
  const registrations = await recordRegistrations(() => program({ controlPlane: { count: 3 } }));
  const machines = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
  const nodes = machines.map((name) => `kubewright:kube:Node ${name}-node`);
  const before = dependenciesOf(registrations, "kubewright:kubeadm:AddOns dev-add-ons");
  expect(nodes.filter((name) => !before.has(name))).toEqual([]);
});

test("control planes change one after the other, each with its kubelet, and workers after all of them", async () => {
  const registrations = await recordRegistrations(() => program({ controlPlane: { count: 3 } }));
  const controlPlane = (index: number) => `kubewright:kubeadm:ControlPlane control-plane-${index}-control-plane`;
  const node = (name: string) => `kubewright:kube:Node ${name}-node`;
  for (const index of [1, 2, 3]) {
    expect(dependenciesOf(registrations, node(`control-plane-${index}`))).toContain(controlPlane(index));
    if (index > 1)
      expect(dependenciesOf(registrations, controlPlane(index))).toContain(node(`control-plane-${index - 1}`));
    expect(dependenciesOf(registrations, node("worker-1"))).toContain(node(`control-plane-${index}`));
  }
});

test("API servers verify kubelets after all nodes have certificates, and timers approve requests", async () => {
  const security = { kubeletServingCertificates: "cluster" };
  const registrations = await recordRegistrations(() => program({ controlPlane: { count: 3 }, security }));
  const before = dependenciesOf(registrations, "kubewright:kubeadm:KubeletAuthority dev-kubelet-authority");
  const machines = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
  const approvers = machines.slice(0, 3).map((name) => `kubewright:host:Unit ${name}-kubelet-approver`);
  const nodes = machines.map((name) => `kubewright:kube:Node ${name}-node`);
  expect([...nodes, ...approvers].filter((name) => !before.has(name))).toEqual([]);
});

test("the keys of certificates are kubeadm's own, or those of the configuration in every document", async () => {
  const documents = async (security: object) =>
    JSON.stringify(await recordRegistrations(() => program({ workers: { count: 0 }, security }))).match(
      /"encryptionAlgorithm":"[^"]*"/g,
    );
  expect(await documents({})).toBeNull();
  expect(await documents({ certificateKeys: "RSA-2048" })).toBeNull();
  // The beginning of the cluster, its control plane, and the configuration in the cluster.
  const found = await documents({ certificateKeys: "ECDSA-P256" });
  expect(found).toEqual(Array(3).fill('"encryptionAlgorithm":"ECDSA-P256"'));
});

test("kubelets with self-signed certificates have no timer, and no flag verifies them", async () => {
  const registrations = await recordRegistrations(() => program({ security: {} }));
  expect(JSON.stringify(registrations)).not.toMatch(/kubelet-approver|kubelet-authority|serverTLSBootstrap|serving/);
});

test("the beginning of a cluster knows all nodes, which a second one would reset", async () => {
  const registrations = await recordRegistrations(() => program({ controlPlane: { count: 3 }, workers: { count: 1 } }));
  const init = registrations.find(({ type }) => type === "kubewright:kubeadm:Init");
  const controlPlanes = ["control-plane-1", "control-plane-2", "control-plane-3"];
  expect(init?.inputs).toMatchObject({ controlPlanes, nodes: [...controlPlanes, "worker-1"] });
});

test("every control plane has the files that its API server's flags name before it starts or changes", async () => {
  const security = { encryption: { provider: "secretbox" }, podSecurity: { enforce: "baseline" } };
  const registrations = await recordRegistrations(() => program({ controlPlane: { count: 3 }, security }));
  const machines = ["control-plane-1", "control-plane-2", "control-plane-3"];
  const before = (id: string) => dependenciesOf(registrations, `kubewright:kubeadm:${id}`);
  for (const machine of machines) {
    const files = [`EncryptionFile ${machine}-encryption`, `ApiServerFiles ${machine}-api-server-files`];
    for (const id of [`ControlPlane ${machine}-control-plane`, `Join ${machine}-join`])
      for (const file of files) expect(before(id), id).toContain(`kubewright:kubeadm:${file}`);
    // A joining control plane writes with the newest key from its start on.
    const keys = machines.map((one) => `kubewright:kubeadm:EncryptionFile ${one}-encryption`);
    if (machine !== machines[0]) expect([...before(`Join ${machine}-join`)]).toEqual(expect.arrayContaining(keys));
  }
});

/** Returns what `type name` depends on, directly or not. */
function dependenciesOf(registrations: readonly Registration[], id: string, known = new Set<string>()): Set<string> {
  const { dependsOn = [] } = registrations.find(({ type, name }) => `${type} ${name}` === id) ?? {};
  for (const dependency of dependsOn.filter((one) => !known.has(one)))
    dependenciesOf(registrations, dependency, known.add(dependency));
  return known;
}

function render({ type, name, parent, dependsOn, deletedWith, ignoreChanges }: Registration): string {
  const lines = [
    `${type} ${name}`,
    ...(parent === undefined ? [] : [`  parent ${parent}`]),
    ...(deletedWith === undefined ? [] : [`  deleted with ${deletedWith}`]),
    ...dependsOn.map((each) => `  depends on ${each}`),
    ...(ignoreChanges.length === 0 ? [] : [`  ignores changes of ${ignoreChanges.join(", ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}
