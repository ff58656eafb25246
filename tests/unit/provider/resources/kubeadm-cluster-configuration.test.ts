import { beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { clusterConfigurationResource } from "../../../../provider/resources/kubeadm-cluster-configuration";
import { StepError } from "../../../../common/errors";
import { yamlText } from "../../../../render/json";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { MemoryApi } from "../../../support/memory-api";

/** What kubeadm writes at init, with the fields that it fills in. */
const UPLOADED = {
  apiServer: { certSANs: ["10.0.0.1"] },
  apiVersion: "kubeadm.k8s.io/v1beta4",
  certificatesDir: "/etc/kubernetes/pki",
  clusterName: "dev",
  controllerManager: { extraArgs: [{ name: "leader-elect", value: "false" }] },
  dns: {},
  etcd: { local: { dataDir: "/var/lib/etcd" } },
  kind: "ClusterConfiguration",
  proxy: {},
  scheduler: {},
};
const PROXY = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  conntrack: {
    maxPerCore: null,
    min: null,
    tcpBeLiberal: false,
    tcpCloseWaitTimeout: null,
    tcpEstablishedTimeout: null,
  },
  kind: "KubeProxyConfiguration",
  mode: "nftables",
};

let memory: MemoryApi;
let warnings: string[];
let unreachable: boolean;
beforeEach(() => {
  memory = new MemoryApi();
  warnings = [];
  unreachable = false;
  memory.configMaps.set("kube-system/kubeadm-config", { data: { ClusterConfiguration: yamlText(UPLOADED) } });
  memory.configMaps.set("kube-system/kube-proxy", { data: { "config.conf": yamlText(PROXY), "kubeconfig.conf": "x" } });
  memory.daemonSets.set("kube-system/kube-proxy", { spec: {} });
});

function context() {
  const one = testContext({ warn: (text) => void warnings.push(text) });
  one.kube.api = async () => {
    if (unreachable) throw new StepError({ step: "connecting to the Kubernetes API", cause: "no route" });
    return Promise.resolve(memory.api);
  };
  return one;
}

const cluster = (parts: object = {}) => {
  const { proxy: _, certificatesDir: __, ...fields } = UPLOADED;
  return { ...fields, ...parts };
};
const proxy = (parts: object = {}) => ({ apiVersion: PROXY.apiVersion, kind: PROXY.kind, mode: PROXY.mode, ...parts });
const inputs = (documents: object[] = [cluster(), proxy()]) => ({
  controlPlanes: [connectionTo({ host: "10.0.0.1" })],
  caCertHash: "sha256:a",
  documents: documents as never,
});
const isPatch = (call: string) => call.startsWith("patch");
const create = (documents?: object[]) => clusterConfigurationResource.create(context(), inputs(documents));
const read = (documents?: object[]) =>
  clusterConfigurationResource.read!(context(), "id", { inputs: inputs(documents), outputs: {} });
const uploaded = () =>
  parse(memory.configMaps.get("kube-system/kubeadm-config")?.data?.ClusterConfiguration ?? "") as Record<
    string,
    unknown
  >;

describe("kubeadm's configuration in the cluster", () => {
  test("that kubeadm init wrote is not written again", async () => {
    await create();
    expect(memory.calls.filter(isPatch)).toEqual([]);
    expect((await read())?.inputs).toEqual(inputs());
  });

  test("gets changed flags, and keeps the fields that kubeadm filled in", async () => {
    const apiServer = { certSANs: ["10.0.0.1"], extraArgs: [{ name: "profiling", value: "false" }] };
    await create([cluster({ apiServer }), proxy()]);
    expect(uploaded()).toMatchObject({ apiServer, certificatesDir: "/etc/kubernetes/pki" });
  });

  test.each([
    ["loses an algorithm of keys that is no longer configured: later control planes read it", "ECDSA-P256", "RSA-2048"],
    ["keeps kubeadm's own algorithm of keys", "RSA-2048", "RSA-2048"],
    ["does not get the algorithm of keys where kubeadm wrote none", undefined, undefined],
  ])("%s", async (_, before, after) => {
    const ClusterConfiguration = yamlText({ ...UPLOADED, encryptionAlgorithm: before });
    memory.configMaps.set("kube-system/kubeadm-config", { data: { ClusterConfiguration } });
    await create();
    expect(uploaded().encryptionAlgorithm).toBe(after);
    expect(memory.calls.filter(isPatch)).toHaveLength(before === after ? 0 : 1);
  });

  test("loses flags that are no longer configured", async () => {
    memory.configMaps.set("kube-system/kubeadm-config", {
      data: { ClusterConfiguration: yamlText({ ...UPLOADED, scheduler: { extraArgs: [{ name: "v", value: "4" }] } }) },
    });
    await create();
    expect(uploaded().scheduler).toEqual({});
  });

  test("gets leader election before a second control plane joins, and keeps it afterwards", async () => {
    await create([cluster({ controllerManager: {} }), proxy()]);
    expect(uploaded().controllerManager).toEqual({});
    await create();
    expect(uploaded().controllerManager).toEqual({});
    expect((await read())?.inputs).toEqual(inputs());
  });

  test("that another tool changed is drift", async () => {
    const changed = yamlText({ ...UPLOADED, apiServer: {} });
    memory.configMaps.set("kube-system/kubeadm-config", { data: { ClusterConfiguration: changed } });
    expect((await read())?.inputs.problem).toBe("ConfigMap kubeadm-config: apiServer changed");
  });

  test("stays as recorded while no control plane answers", async () => {
    unreachable = true;
    expect((await read())?.inputs).toEqual(inputs());
    expect(warnings).toEqual([expect.stringMatching(/^not read.*no route/)]);
  });
});

describe("kube-proxy's configuration", () => {
  const configuration = () =>
    parse(memory.configMaps.get("kube-system/kube-proxy")?.data?.["config.conf"] ?? "") as object;

  test("that changes replaces kube-proxy's pods, which read it at their start only", async () => {
    await create([cluster(), proxy({ mode: "iptables" })]);
    expect(configuration()).toMatchObject({ mode: "iptables" });
    expect(memory.configMaps.get("kube-system/kube-proxy")?.data).toMatchObject({ "kubeconfig.conf": "x" });
    const { spec } = memory.daemonSets.get("kube-system/kube-proxy") as { spec: { template?: unknown } };
    expect(JSON.stringify(spec.template)).toMatch(/"annotations":\{"kubewright\.dev\/config":"[0-9a-f]{16}"\}/);
  });

  test("that an interrupted run wrote without replacing pods is drift, and the next run replaces them", async () => {
    const changed = [cluster(), proxy({ mode: "iptables" })];
    const daemonSet = memory.daemonSets.get("kube-system/kube-proxy") ?? {};
    memory.daemonSets.clear();
    await expect(create(changed)).rejects.toThrow();
    memory.daemonSets.set("kube-system/kube-proxy", daemonSet);
    expect(configuration()).toMatchObject({ mode: "iptables" });
    expect((await read(changed))?.inputs.problem).toBe("kube-proxy was not restarted");
    await create(changed);
    expect(JSON.stringify(memory.daemonSets.get("kube-system/kube-proxy"))).toContain("kubewright.dev/config");
    expect((await read(changed))?.inputs.problem).toBeUndefined();
  });

  test("is recorded as begun before it is written, so that a failed change can be reverted", async () => {
    const begun: string[] = [];
    const one = { ...context(), begin: () => void begun.push(`after ${memory.calls.filter(isPatch).length} patches`) };
    await clusterConfigurationResource.create(one, inputs());
    expect(begun).toEqual([]);
    await clusterConfigurationResource.create(one, inputs([cluster(), proxy({ mode: "iptables" })]));
    expect(begun).toEqual(["after 0 patches"]);
  });

  test("returns to kube-proxy's defaults where conntrack is no longer configured", async () => {
    const zero = { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" };
    await create([cluster(), proxy({ conntrack: zero })]);
    expect(configuration()).toMatchObject({ conntrack: { ...zero, tcpBeLiberal: false } });
    await create();
    expect(configuration()).toMatchObject({ conntrack: PROXY.conntrack });
  });
});
