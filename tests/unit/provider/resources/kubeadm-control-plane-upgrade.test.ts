import "reflect-metadata";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { applyManifests } from "../../../../provider/kubeadm/apply-manifests";
import { textsByComponent } from "../../../../provider/kubeadm/manifest-texts";
import { effectiveDocuments } from "../../../../provider/kubeadm/manifests";
import { controlPlaneResource } from "../../../../provider/resources/kubeadm-control-plane";
import { KUBELET_CA_FILE, KUBELET_CA_FLAG } from "../../../../render/kubelet-serving";
import { ENCRYPTION_FILE, ENCRYPTION_FLAG } from "../../../../render/encryption";
import { toYaml } from "../../../../render/kubeadm-documents";
import type { KubeadmDocument } from "../../../../render/kubeadm-types";
import { COMPONENTS, ControlPlaneMachine } from "../../../support/control-plane-machine";

// Whether new pods are healthy is tested with applyManifests itself.
vi.mock("../../../../provider/kubeadm/apply-manifests", async (original) => ({
  ...(await original<object>()),
  applyManifests: vi.fn(),
}));

const MANIFESTS = "/etc/kubernetes/manifests";
const CONFIG = "/etc/kubernetes/kubewright-cluster.yaml";

let machine: ControlPlaneMachine;
let health: string[];
let nodes: object[];
beforeEach(() => {
  machine = new ControlPlaneMachine();
  vi.mocked(applyManifests).mockImplementation(async (_context, _machine, change) => {
    for (const { write } of change.stages) await write();
  });
  health = ["https://10.0.0.1:2379 is healthy: successfully committed proposal"];
  nodes = [{ metadata: { name: "cp-2", labels: { "node-role.kubernetes.io/control-plane": "" } }, status: ready() }];
  machine.on(/endpoint health --cluster/, () => `${machine.members}--- health ---\n${health.join("\n")}`);
  machine.on(/kubeadm upgrade apply phase/, () => "");
  run("1.35.4");
  machine.files.set(CONFIG, { content: "kubernetesVersion: v1.35.4\n", mode: "0600" });
});

/** Writes the manifests of a version, as they run. */
function run(version: string, flag = ""): void {
  const content = `    - kube-apiserver\n${flag}    image: registry.k8s.io/kube-apiserver:v${version}\n`;
  for (const name of COMPONENTS) machine.files.set(`${MANIFESTS}/${name}.yaml`, { content, mode: "0600" });
}

function ready(kubeletVersion = "v1.35.4", status = "True") {
  return { conditions: [{ type: "Ready", status }], nodeInfo: { kubeletVersion } };
}

function inputsOf(version: string) {
  const apiVersion = "kubeadm.k8s.io/v1beta4";
  const cluster = { apiVersion, kind: "ClusterConfiguration", kubernetesVersion: `v${version}` };
  const init = { apiVersion, kind: "InitConfiguration", nodeRegistration: { name: "cp-2" } };
  return { ...machine.target, node: "cp-2", documents: [init, cluster] };
}

async function upgrade(version = "1.36.3") {
  const context = machine.context();
  context.kube.api = async () => ({ core: { listNode: async () => ({ items: nodes }) }, patience: 1 }) as never;
  const old = { inputs: inputsOf("1.35.4"), outputs: { manifests: {} } };
  return await controlPlaneResource.update!(context, "id", inputsOf(version), old);
}
const ran = (pattern: RegExp) => machine.scripts.findIndex((script) => pattern.test(script));

describe("another version", () => {
  test("is applied after a verified snapshot of etcd, and kubeadm's objects follow", async () => {
    await upgrade();
    const order = [/before-1\.36\.3\.db/, /phase upload-config kubelet/, /phase bootstrap-token/].map(ran);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(order[0]).toBeGreaterThan(-1);
    expect(machine.placed).toHaveLength(COMPONENTS.length);
    expect(machine.files.get(CONFIG)?.content).toContain("v1.36.3");
  });

  test("gets longer deadlines of kubeadm from patience", async () => {
    const inputs: unknown[] = [];
    const run = machine.run.bind(machine);
    machine.run = (script, options) => {
      if (script.startsWith("kubeadm upgrade apply")) inputs.push(options.stdin);
      return run(script, options);
    };
    machine.patience = 3;
    await upgrade();
    expect(inputs).toHaveLength(2);
    for (const each of inputs) expect(each).toMatch(/^timeouts:\n(.*\n)*? {2}kubernetesAPICall: "?180s/m);
  });

  test.each<[string, () => void, RegExp]>([
    ["etcd does not answer", () => (machine.members = ""), /etcd does not answer; nothing was changed/],
    ["a member of etcd is unhealthy", () => (health = []), /etcd: member cp-2 is unhealthy/],
    [
      "a control plane is not Ready",
      () => (nodes = [{ ...nodes[0], status: ready("v1.35.4", "Unknown") }]),
      /control plane cp-2 is not Ready/,
    ],
    [
      "a kubelet would be too old",
      () => nodes.push({ metadata: { name: "worker-1" }, status: ready("v1.32.0") }),
      /worker-1: kubelet 1\.32\.0 is 4 minor versions older .*upgrade its pool first/,
    ],
  ])("is refused while %s, before anything changes", async (_, spoil, message) => {
    spoil();
    await expect(upgrade()).rejects.toThrow(message);
    expect(machine.placed).toEqual([]);
    expect(ran(/snapshot save/)).toBe(-1);
  });

  test("is refused where its etcd cannot read the data, before anything changes", async () => {
    const etcd = (version: string) => `    image: registry.k8s.io/etcd:${version}-0\n`;
    machine.files.set(`${MANIFESTS}/etcd.yaml`, { content: etcd("3.7.0"), mode: "0600" });
    machine.images.set("etcd", etcd("3.6.8"));
    machine.on(/endpoint status --cluster -w json 2>.dev.null$/, () => '[{"Status":{"version":"3.7.0"}}]');
    await expect(upgrade()).rejects.toThrow(
      /etcd 3\.6\.8 cannot read the data of etcd 3\.7\.0; no component was changed on this machine; set `kubernetes/,
    );
    expect(machine.placed).toEqual([]);
    machine.images.set("etcd", etcd("3.7.1"));
    await upgrade();
    expect(machine.placed).toHaveLength(COMPONENTS.length);
  });

  test("that skips a minor version is refused on the machine, whatever the state has recorded", async () => {
    await expect(upgrade("1.37.0")).rejects.toThrow(/cannot skip a minor version/);
    expect(machine.placed).toEqual([]);
  });

  test("that was interrupted after the manifests is completed by the next run, without another snapshot", async () => {
    run("1.36.3");
    await upgrade();
    expect(ran(/snapshot save/)).toBe(-1);
    expect(ran(/phase bootstrap-token/)).toBeGreaterThan(-1);
    machine.scripts.length = 0;
    await upgrade();
    expect(ran(/phase bootstrap-token/)).toBe(-1);
  });
});

describe("the version before", () => {
  const controlPlane = { "node-role.kubernetes.io/control-plane": "" };

  test("is applied where the API server has emulated it, also while the control plane's kubelet is newer", async () => {
    run("1.36.3", "    - --emulated-version=kube=1.35\n");
    nodes = [{ metadata: { name: "cp-2", labels: controlPlane }, status: ready("v1.36.3") }];
    await upgrade("1.35.4");
    expect(ran(/before-1\.35\.4\.db/)).toBeGreaterThan(-1);
    expect(machine.placed).toHaveLength(COMPONENTS.length);
  });

  test("is refused where the API server has not emulated it", async () => {
    run("1.36.3");
    await expect(upgrade("1.35.4")).rejects.toThrow(/cannot be downgraded from 1\.36\.3 to 1\.35\.4/);
    expect(machine.placed).toEqual([]);
  });

  test("is refused while a worker's kubelet is newer", async () => {
    run("1.36.3", "    - --emulated-version=kube=1.35\n");
    nodes.push({ metadata: { name: "worker-1" }, status: ready("v1.36.3") });
    await expect(upgrade("1.35.4")).rejects.toThrow(
      /worker-1: kubelet 1\.36\.3 is newer than the control plane 1\.35\.4/,
    );
    expect(machine.placed).toEqual([]);
  });
});

describe("an adoption", () => {
  let warnings: string[];
  const adopt = (inputs: object = {}) =>
    controlPlaneResource.adopt!(machine.context({ warn: (text) => void warnings.push(text) }), {
      ...inputsOf("1.35.4"),
      ...inputs,
    });
  const cluster = (changes: object) => ({ documents: [{ ...inputsOf("1.35.4").documents[1], ...changes }] });
  /** Writes the configuration that was last applied. */
  const applied = (changes: object = {}) => {
    const { documents } = { ...inputsOf("1.35.4"), ...changes } as { documents: KubeadmDocument[] };
    const texts = textsByComponent(new Map([...machine.files].map(([path, { content }]) => [path, content])));
    machine.files.set(CONFIG, { content: toYaml(effectiveDocuments(documents, texts)), mode: "0600" });
  };
  const VERIFIED = { apiServer: { extraArgs: [{ name: KUBELET_CA_FLAG, value: KUBELET_CA_FILE }] } };
  /** As `kubeadm:KubeletAuthority` does. */
  const verify = () => {
    run("1.35.4", `    - --${KUBELET_CA_FLAG}=${KUBELET_CA_FILE}\n`);
  };
  const ENCRYPTED = { apiServer: { extraArgs: [{ name: ENCRYPTION_FLAG, value: ENCRYPTION_FILE }] } };
  beforeEach(() => {
    warnings = [];
    applied();
  });

  test("records the static pods that run, and leaves a control plane that is as configured alone", async () => {
    const { id, outputs, isUnfinished } = await adopt();
    expect([id, isUnfinished]).toEqual(["a1/control-plane", false]);
    expect(Object.keys(outputs.manifests as object)).toEqual(COMPONENTS);
    expect(warnings).toEqual([]);
    expect(machine.placed).toEqual([]);
  });

  test("names what differs, and lets the next update apply it", async () => {
    const flags = { apiServer: { extraArgs: [{ name: "v", value: "4" }] } };
    expect(await adopt(cluster({ ...flags, clusterName: "b" }))).toMatchObject({ isUnfinished: true });
    expect(warnings.join()).toMatch(/^worker-1 .*: the control plane differs from the configuration in .*apiServer/);
    expect(warnings.join()).toContain("ClusterConfiguration.clusterName");
  });

  test("compares without the flag that lets the API server verify kubelets", async () => {
    const verified = { ...cluster(VERIFIED), kubeletCertificates: "verified" };
    applied(cluster({ apiServer: { extraArgs: [] } }));
    verify();
    expect(await adopt(verified)).toMatchObject({ isUnfinished: false });
    expect(warnings).toEqual([]);
  });

  test("lets the next update apply the configuration where none is recorded on the machine", async () => {
    machine.files.delete(CONFIG);
    expect(await adopt()).toMatchObject({ isUnfinished: true });
    expect(warnings.join()).toContain("is not recorded on it");
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "another version",
      () => adopt(inputsOf("1.36.3")),
      /runs Kubernetes 1\.35\.4, and the configuration has 1\.36\.3/,
    ],
    [
      "another network",
      () => {
        applied(cluster({ networking: { podSubnet: "10.1.0.0/16" } }));
        return adopt(cluster({ networking: { podSubnet: "10.2.0.0/16" } }));
      },
      /network\.podCidr cannot change from 10\.1\.0\.0\/16 to 10\.2\.0\.0\/16/,
    ],
    [
      "no encryption of an encrypted cluster",
      () => {
        applied(cluster(ENCRYPTED));
        return adopt();
      },
      /security\.encryption\.provider cannot be off/,
    ],
    [
      "self-signed certificates of kubelets that the API server verifies",
      () => (verify(), adopt()),
      /security\.kubeletServingCertificates cannot be self-signed/,
    ],
    ["a worker as control plane", () => (machine.files.clear(), adopt()), /it runs no API server of kubeadm/],
  ])("is refused for %s", async (_what, act, message) => {
    await expect(act()).rejects.toThrow(message);
    expect(machine.placed).toEqual([]);
  });
});
