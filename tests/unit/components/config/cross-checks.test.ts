import { describe, expect, test } from "vitest";
import { cp, host, mine, problems, refused, ssh, tokens } from "./samples";

const ISSUER = { issuer: "https://login.example.com", audiences: ["kubernetes"] };

describe("fields together", () => {
  test.each<[unknown, string, string]>([
    [{ kubernetes: { version: "1.31.0" } }, "kubernetes.version", "use one of 1.36.3, 1.36.1"],
    [
      { kubernetes: { version: "1.36.2" }, source: "modules" },
      "kubernetes.version",
      "cannot be built from modules, because versions.yaml does not list it; use one of 1.36.3, 1.36.1",
    ],
    [
      { workers: { version: "1.36.3" }, kubernetes: { version: "1.36.1" } },
      "workers.version",
      "newer than the control plane",
    ],
    [{ workers: { version: "1.32.0" } }, "workers.version", "4 minor versions older"],
    [
      { workers: { kubelet: { featureGates: { MemoryManager: true } } } },
      "workers.kubelet.featureGates.MemoryManager",
      "Kubernetes 1.36 removed the feature gate MemoryManager",
    ],
    [
      { controlPlane: { extraArgs: { kubelet: { "pod-infra-container-image": "pause" } } } },
      "controlPlane.extraArgs.kubelet.pod-infra-container-image",
      "Kubernetes 1.35 removed the kubelet's flag --pod-infra-container-image",
    ],
    [
      { controlPlane: { extraArgs: { apiServer: { "feature-gates": "A=true,PodIndexLabel=true" } } } },
      "controlPlane.extraArgs.apiServer.feature-gates",
      "Kubernetes 1.35 removed the feature gate PodIndexLabel",
    ],
    [{ source: "modules", transfer: "pull" }, "transfer", "use auto or push, or set source to official"],
    [{ transfer: "fetch" }, "transfer", "use one of auto, push, pull"],
    [{ controlPlane: { count: 2 } }, "controlPlane.count", "use 1 or 3"],
    [
      { bootstrap: "components", workers: { commands: { afterJoin: [{ name: "a", script: "true" }] } } },
      "workers.commands",
      "not available to clusters that are built by components",
    ],
    [
      { workers: { commands: { afterJoin: [{ name: "A", script: "" }] } } },
      "workers.commands.afterJoin[0].name",
      "lower",
    ],
    [
      { workers: { commands: { beforeDrain: ["a", "a"].map((name) => ({ name, script: "true" })) } } },
      "workers.commands.beforeDrain[1].name",
      "rename one",
    ],
    [{ security: { oidc: [{ ...ISSUER, issuer: "http://a.example.com" }] } }, "security.oidc[0].issuer", "https://"],
    [{ security: { oidc: [ISSUER, ISSUER] } }, "security.oidc", "an issuer twice"],
    [{ security: { oidc: [{ ...ISSUER, ca: "/ca.pem" }] } }, "security.oidc[0].ca", "text of the file"],
    [{ security: { oidc: [{ ...ISSUER, groupsPrefix: "sys" }] } }, "security.oidc[0].groupsPrefix", "such as oidc:"],
    [{ security: { oidc: [{ ...ISSUER, groupsPrefix: "" }] } }, "security.oidc[0].groupsPrefix", "such as oidc:"],
    [
      { security: { oidc: [{ ...ISSUER, usernamePrefix: "system:" }] } },
      "security.oidc[0].usernamePrefix",
      "keeps users apart",
    ],
    [{ security: { podSecurity: { enforce: "strict" } } }, "security.podSecurity.enforce", "baseline"],
    [
      { security: { podSecurity: { exemptNamespaces: ["A"] } } },
      "security.podSecurity.exemptNamespaces[0]",
      "namespace",
    ],
    [{ security: { audit: { rules: [{ level: "metadata" }] } } }, "security.audit.rules[0].level", "Metadata"],
    [
      { security: { audit: { rules: [{ level: "None", nonResourceURLs: ["/x"], namespaces: ["a"] }] } } },
      "security.audit.rules[0]",
      "write two rules",
    ],
    [
      { bootstrap: "components", controlPlane: { emulate: "previous" } },
      "controlPlane.emulate",
      "is not available to clusters that are built by components",
    ],
    [
      { bootstrap: "components", security: { audit: { enabled: true } } },
      "security.audit.enabled",
      "clusters that are built by components",
    ],
    [
      { bootstrap: "components", security: { certificateKeys: "RSA-4096" } },
      "security.certificateKeys",
      "clusters that are built by components",
    ],
    [
      { bootstrap: "components", security: { kubeletServingCertificates: "cluster" } },
      "security.kubeletServingCertificates",
      "is not available to clusters that are built by components",
    ],
    [
      {
        security: { oidc: [ISSUER] },
        controlPlane: { extraArgs: { apiServer: { "oidc-issuer-url": "https://login.example.com" } } },
      },
      "controlPlane.extraArgs.apiServer.oidc-issuer-url",
      "together with security.oidc",
    ],
    [
      { bootstrap: "components", security: { podSecurity: { warn: "baseline" } } },
      "security.podSecurity",
      "clusters that are built by components",
    ],
    [{ runtime: "docker", workers: { containerd: { oom_score: -1 } } }, "workers.containerd", "has no effect"],
    [{ runtime: "docker", pools: { gpu: { containerd: { debug: {} } } } }, "pools.gpu.containerd", "has no effect"],
    [{ runtime: "docker", controlPlane: { containerd: { debug: {} } } }, "controlPlane.containerd", "has no effect"],
    [ssh(cp, host("cp-2", "10.0.0.2", { role: "control-plane" })), "controlPlane.count", "even number"],
    [
      { network: { podCidr: "10.0.0.0/9", serviceCidr: "10.96.0.0/16" } },
      "network.serviceCidr",
      "overlaps network.podCidr",
    ],
    [{ machines: { docker: { subnet: "10.244.7.0/24" } } }, "machines.docker.subnet", "overlaps network.podCidr"],
    [{ machines: { docker: { subnet: "10.10.0.0/24" } } }, "machines.docker.subnet", "overlaps network.serviceCidr"],
    [ssh(cp, host("w-1", "10.244.0.7")), "machines.ssh.hosts[1]", "inside network.podCidr"],
    [
      ssh(cp, host("w-1", "192.0.2.1", { privateAddress: "10.10.0.7" })),
      "machines.ssh.hosts[1]",
      "inside network.serviceCidr",
    ],
    [{ network: { serviceCidr: "10.10.0.0/29" } }, "network.serviceCidr", "too small"],
    [{ network: { podCidr: "10.244.0.0/16", serviceCidr: "172.0.0.0/8" } }, "network.serviceCidr", "too large"],
    [{ network: { podCidr: "10.244.0.0/23" } }, "network.podCidr", "room for 2 nodes"],
    [{ network: { podCidr: "10.244.0.0/25" } }, "network.podCidr", "room for 0 nodes"],
    [{ network: { podCidr: "32.0.0.0/6" } }, "network.podCidr", "too large"],
    [{ workers: { kubelet: { maxPods: 254 } } }, "workers.kubelet.maxPods", "network.nodeMaskSize: 23"],
    [{ ...ssh(cp, host("w-1", "10.0.0.2")), workers: { count: 2 } }, "workers.count", "lists 1"],
    [ssh(host("w-1", "10.0.0.2")), "machines.ssh.hosts", "no control plane"],
    [ssh(cp, host("cp-1", "10.0.0.2")), "machines.ssh.hosts[1].name", "machines.ssh.hosts[0]"],
    [ssh(cp, host("w-1", "10.0.0.1")), "machines.ssh.hosts[1].host", "machines.ssh.hosts[0]"],
    [
      ssh(cp, host("w-1", "10.0.0.9", { privateAddress: "10.0.0.1" })),
      "machines.ssh.hosts[1].privateAddress",
      "machines.ssh.hosts[0]",
    ],
    [
      {
        bootstrap: "components",
        controlPlane: { extraArgs: { apiServer: { "oidc-issuer-url": "https://example.com" } } },
      },
      "controlPlane.extraArgs.apiServer.oidc-issuer-url",
      "authentication configuration",
    ],
    [
      { bootstrap: "components", controlPlane: { extraArgs: { apiServer: { "anonymous-auth": "false" } } } },
      "controlPlane.extraArgs.apiServer.anonymous-auth",
      "authentication configuration",
    ],
    [
      { bootstrap: "components", controlPlane: { extraArgs: { apiServer: { "authorization-config": "/x" } } } },
      "controlPlane.extraArgs.apiServer.authorization-config",
      "authorization-mode",
    ],
    [{ rung: "etcd" }, "rung", "bootstrap: components"],
    [{ controlPlane: { runAs: "systemd" } }, "controlPlane.runAs", "bootstrap: components"],
    [{ network: { plugin: "bridge" }, workers: { count: 0 } }, "network.plugin", "bootstrap: components"],
    [{ admission: { disable: ["ServiceAccount"] } }, "admission.disable", "disable-admission-plugins"],
    [{ ...tokens({}), bootstrap: "kubeadm" }, "auth.staticTokens", "bootstrap: components"],
    [{ bootstrap: "components", controlPlane: { count: 3 } }, "controlPlane.count", "use 1, or bootstrap: kubeadm"],
    [{ bootstrap: "components", network: { plugin: "bridge" } }, "network.plugin", "the cluster has 3"],
    [tokens({}, { user: "other" }), "auth.staticTokens[1].token", "auth.staticTokens[0]"],
    [{ source: "modules", pools: { gpu: { version: "1.36.2" } } }, "pools.gpu.version", "1.36.3, 1.36.1"],
    [{ pools: { gpu: { version: "1.32.0" } } }, "pools.gpu.version", "4 minor versions older"],
    [{ pools: { gpu: { kubelet: { maxPods: 254 } } } }, "pools.gpu.kubelet.maxPods", "network.nodeMaskSize: 23"],
    [
      { workers: { nodes: { "worker-1": { kubelet: { maxPods: 300 } } } } },
      "workers.nodes.worker-1.kubelet.maxPods",
      "use 253 or fewer",
    ],
    [{ workers: { nodes: { "wroker-1": {} } } }, "workers.nodes.wroker-1", "use a name like worker-1"],
    [{ pools: { gpu: { nodes: { "worker-1": {} } } } }, "pools.gpu.nodes.worker-1", "use a name like gpu-1"],
    [
      { network: { podCidr: "10.244.0.0/22" }, pools: { gpu: { count: 2 } } },
      "network.podCidr",
      "room for 4 nodes with a /24 each, and the cluster has 5",
    ],
    [
      { workers: { hosts: [mine("mine", "10.0.0.9"), mine("mine", "10.0.0.8")] } },
      "workers.hosts[1].name",
      "also the name of workers.hosts[0]",
    ],
    [
      { workers: { hosts: [mine("mine", "10.0.0.9")] }, pools: { gpu: { hosts: [mine("other", "10.0.0.9")] } } },
      "pools.gpu.hosts[0].host",
      "also the address of workers.hosts[0]",
    ],
    [
      { workers: { hosts: [mine("worker-2", "10.0.0.9")] } },
      "workers.hosts[0].name",
      "also the name of a machine of workers",
    ],
    [{ workers: { hosts: [mine("mine", "10.244.0.9")] } }, "workers.hosts[0]", "inside network.podCidr"],
    [{ ...ssh(cp), pools: { gpu: { count: 1 } } }, "pools.gpu.count", "pools.gpu.hosts"],
    [{ machines: { ssh: { hosts: [cp] } } }, "machines.ssh.hosts[0].role", "set controlPlane.machines.kind: ssh"],
    [{ workers: { machines: { kind: "ssh" }, count: 1 } }, "workers.count", "lists 0"],
    [{ pools: { gpu: { machines: { kind: "ssh" }, count: 1 } } }, "pools.gpu.count", "pools.gpu.hosts"],
    [{ controlPlane: { machines: { kind: "ssh" } } }, "machines.ssh.hosts", "no control plane"],
    [
      {
        network: { podCidr: "10.244.0.0/22" },
        machines: { ssh: { hosts: [host("w-1", "10.0.0.2"), host("w-2", "10.0.0.3")] } },
      },
      "network.podCidr",
      "the cluster has 5",
    ],
    [
      ssh(cp, host("w-1", "10.0.0.2", { privateKeyPath: "/none" })),
      "machines.ssh.hosts[1].privateKeyPath",
      "there is no file /none",
    ],
  ])("%j", refused);

  test.each<[string, unknown]>([
    ["three minors older", { workers: { version: "1.33.4" } }],
    ["a patch release that is not listed", { kubernetes: { version: "1.36.9" }, workers: { version: "1.36.2" } }],
    ["a patch release from a mirror", { kubernetes: { version: "1.36.9" }, source: "https://mirror" }],
    ["three control planes", { controlPlane: { count: 3 } }],
    ["a single node", { workers: { count: 0 } }],
    ["four nodes in a /22", { network: { podCidr: "10.244.0.0/22" }, workers: { count: 3 } }],
    [
      "a bridge on a single machine",
      {
        bootstrap: "components",
        rung: "kubelet",
        network: { plugin: "bridge", podCidr: "10.1.0.0/16" },
        workers: { count: 0 },
      },
    ],
    ["a uid that YAML reads as a number", tokens({ uid: 1001 })],
    ["static tokens", tokens({}, { token: "fedcba9876543210", user: "joe", groups: ["system:masters"] })],
    ["253 pods in a /24", { workers: { kubelet: { maxPods: 253 } } }],
    [
      "one address with different ports",
      ssh(
        { ...cp, host: "127.0.0.1", port: 2201, privateAddress: "10.0.0.1" },
        host("w-1", "127.0.0.1", { port: 2202, privateAddress: "10.0.0.2" }),
      ),
    ],
  ])("accepted: %s", (_, raw) => {
    expect(problems(raw)).toEqual([]);
  });
});
