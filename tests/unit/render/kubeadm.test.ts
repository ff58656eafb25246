import { describe, expect, test } from "vitest";
import { initDocuments, joinDocument } from "../../../render/kubeadm";
import { toYaml, withBootstrapToken, withinSeconds, withoutPreflight } from "../../../render/kubeadm-documents";
import { ENCRYPTION_FILE, ENCRYPTION_FOLDER } from "../../../render/encryption";
import type { ClusterConfiguration, KubeadmDocument } from "../../../render/kubeadm-types";
import { CIPHER_SUITES } from "../../../render/tls";
import { containerFacts, facts, golden, initOptions, node } from "./samples";

const token = "abcdef.0123456789abcdef";
const caCertHashes = [`sha256:${"ab".repeat(32)}`];
const apiServerEndpoint = "10.77.0.21:6443";

function clusterConfiguration(documents: readonly KubeadmDocument[]): ClusterConfiguration {
  const found = documents.find(({ kind }) => kind === "ClusterConfiguration");
  if (!found) throw new Error("there is no ClusterConfiguration");
  return found as ClusterConfiguration;
}

describe("kubeadm init", () => {
  test("a single control plane that pulls its images", async () => {
    await expect(toYaml(initDocuments(initOptions()))).toMatchFileSnapshot(golden("kubeadm/init.yaml"));
  });

  test("a container on the test hosts, images side-loaded", async () => {
    const options = initOptions({
      node: node({ facts: containerFacts, imagesSideLoaded: true }),
      dnsImageTag: "v1.14.7",
      clusterName: "lab",
    });
    await expect(toYaml(withBootstrapToken(initDocuments(options), { token }))).toMatchFileSnapshot(
      golden("kubeadm/init.container.yaml"),
    );
  });

  test("three control planes behind an endpoint, with everything set", async () => {
    const options = initOptions({
      controlPlanes: 3,
      controlPlaneEndpoint: "api.example.com:443",
      bindPort: 8443,
      certSANs: ["api.example.com", "10.0.0.1", "10.0.0.1"],
      proxyMode: "iptables",
      network: { podCidr: "10.32.0.0/12", serviceCidr: "10.96.0.0/12", dnsDomain: "k8s.example", nodeMaskSize: 23 },
      node: node({ taints: [{ key: "dedicated", value: "infra", effect: "NoSchedule" }] }),
      extraArgs: {
        apiServer: { "audit-log-path": "-" },
        controllerManager: { "kube-api-qps": "50" },
        scheduler: { v: "4" },
        etcd: { "snapshot-count": "5000" },
      },
      imageRepository: "mirror.example.com/k8s",
      certificateKeys: "ECDSA-P256",
      timeouts: { controlPlaneComponentHealthCheck: "5m0s" },
    });
    const documents = withBootstrapToken(initDocuments(options), { token, ttl: "10m0s" });
    await expect(toYaml(documents)).toMatchFileSnapshot(golden("kubeadm/init.three.yaml"));
  });

  test("the user's flags override the defaults", () => {
    const yaml = toYaml(initDocuments(initOptions({ extraArgs: { scheduler: { "leader-elect": "true" } } })));
    expect(yaml).toContain('scheduler:\n  extraArgs:\n    - name: leader-elect\n      value: "true"');
  });

  test.each(["apiServer", "controllerManager", "scheduler"] as const)("%s is hard by default", (component) => {
    const flagsOf = (extraArgs = {}) => clusterConfiguration(initDocuments(initOptions({ extraArgs })))[component];
    expect(flagsOf()?.extraArgs).toEqual(
      expect.arrayContaining([
        { name: "profiling", value: "false" },
        { name: "tls-min-version", value: "VersionTLS12" },
        { name: "tls-cipher-suites", value: CIPHER_SUITES.join(",") },
      ]),
    );
    const own = flagsOf({ [component]: { profiling: "true", "tls-min-version": "VersionTLS13" } })?.extraArgs ?? [];
    expect(own.filter(({ name }) => ["profiling", "tls-min-version"].includes(name))).toEqual([
      { name: "profiling", value: "true" },
      { name: "tls-min-version", value: "VersionTLS13" },
    ]);
  });

  test("the API server reads an encryption configuration from a mounted folder, if there is one", () => {
    const { apiServer } = clusterConfiguration(initDocuments(initOptions({ encryption: true })));
    expect(apiServer.extraArgs).toContainEqual({ name: "encryption-provider-config", value: ENCRYPTION_FILE });
    expect(apiServer.extraVolumes).toMatchObject([{ hostPath: ENCRYPTION_FOLDER, mountPath: ENCRYPTION_FOLDER }]);
    const without = clusterConfiguration(initDocuments(initOptions())).apiServer;
    expect(JSON.stringify(without)).not.toContain("encryption");
  });

  test("an API server that stops does not wait a minute for open watches", () => {
    const { apiServer } = clusterConfiguration(initDocuments(initOptions()));
    expect(apiServer.extraArgs).toContainEqual({ name: "shutdown-watch-termination-grace-period", value: "2s" });
  });

  test("a flag with the name of a JavaScript property stays a flag", () => {
    const options = initOptions({ extraArgs: { apiServer: { ["__proto__"]: "yes" } } });
    expect(toYaml(initDocuments(options))).toContain('- name: __proto__\n      value: "yes"');
  });

  test("an empty list of taints differs from kubeadm's default taints", () => {
    expect(toYaml(initDocuments(initOptions({ node: node({ taints: [] }) })))).toContain("taints: []");
    expect(toYaml(initDocuments(initOptions()))).not.toContain("taints");
  });

  test("kube-proxy leaves connection tracking to each machine, whatever the first one can write", () => {
    const proxyOf = (machine: typeof containerFacts) =>
      initDocuments(initOptions({ node: node({ facts: machine }) })).find(
        ({ kind }) => kind === "KubeProxyConfiguration",
      );
    expect(proxyOf(facts())).toEqual(proxyOf(containerFacts));
    expect(proxyOf(facts())).toMatchObject({ conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s" } });
  });
});

describe("kubeadm join", () => {
  test("a worker", async () => {
    const worker = node({ name: "worker-1", address: "10.77.0.22", taints: [] });
    const documents = withBootstrapToken([joinDocument({ node: worker, apiServerEndpoint })], { token, caCertHashes });
    await expect(toYaml(documents)).toMatchFileSnapshot(golden("kubeadm/join.worker.yaml"));
  });

  test("one more control plane on cgroup v1", async () => {
    const second = node({ name: "cp-2", address: "10.77.0.23", facts: containerFacts, imagesSideLoaded: true });
    const documents = withBootstrapToken([joinDocument({ node: second, apiServerEndpoint, controlPlane: {} })], {
      token,
      caCertHashes,
    });
    await expect(toYaml(documents)).toMatchFileSnapshot(golden("kubeadm/join.control-plane.yaml"));
  });

  test("the inputs of a resource contain no secret", () => {
    const yaml = toYaml([
      ...initDocuments(initOptions()),
      joinDocument({ node: node(), apiServerEndpoint, controlPlane: {} }),
    ]);
    expect(yaml).not.toMatch(/token:/);
  });

  test("a join without the CA's hash is refused", () => {
    expect(() => withBootstrapToken([joinDocument({ node: node(), apiServerEndpoint })], { token })).toThrow("CA");
  });

  test("a resumed init skips the preflight, a join does not", () => {
    const [init] = withoutPreflight(initDocuments(initOptions({ node: node({ facts: containerFacts }) })));
    expect(init).toMatchObject({ kind: "InitConfiguration", nodeRegistration: { ignorePreflightErrors: ["all"] } });
    const document = joinDocument({ node: node(), apiServerEndpoint });
    expect(withoutPreflight([document])).toEqual([document]);
  });

  test("kubeadm's timeouts of a join end before the join's deadline; configured ones stay", () => {
    const document = joinDocument({ node: node(), apiServerEndpoint, timeouts: { tlsBootstrap: "9m0s" } });
    expect(withinSeconds(document, 300).timeouts).toEqual({ discovery: "60s", tlsBootstrap: "9m0s" });
    expect(withinSeconds(joinDocument({ node: node(), apiServerEndpoint }), 300).timeouts).toEqual({
      discovery: "60s",
      tlsBootstrap: "120s",
    });
  });

  test("refuses a malformed token without showing it", () => {
    const attempt = (): unknown => withBootstrapToken(initDocuments(initOptions()), { token: "s3cret" });
    expect(attempt).toThrow("bootstrap token");
    expect(attempt).not.toThrow("s3cret");
  });
});
