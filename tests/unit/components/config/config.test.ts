import { describe, expect, test } from "vitest";
import {
  ConfigError,
  type ConfigSurroundings,
  type Problem,
  parseConfig,
  renderProblem,
} from "../../../../components/config";
import { golden } from "../../render/samples";

const surroundings: ConfigSurroundings = {
  kubernetesVersions: ["1.36.3", "1.36.1", "1.35.2", "1.33.4", "1.32.0"],
  fileExists: (path) => path === "/keys/id",
};

function collected(raw: unknown): readonly Problem[] {
  try {
    parseConfig(raw, surroundings);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function problems(raw: unknown): string[] {
  return collected(raw).map(renderProblem);
}

/** Expects exactly one problem, at this path and with this text. */
function refused(raw: unknown, path: string, words: string): void {
  const found = problems(raw);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(`${path}: `);
  expect(found[0]).toContain(words);
}

function host(name: string, address: string, changes: object = {}): object {
  return { name, host: address, privateKeyPath: "/keys/id", role: "worker", ...changes };
}

/** A listed machine, in addition to those that are created. */
function mine(name: string, address: string): object {
  return { name, host: address, privateKeyPath: "/keys/id" };
}

function ssh(...hosts: object[]): { machines: object } {
  return { machines: { kind: "ssh", ssh: { hosts } } };
}

/** A cluster with `bootstrap: components` and these users; each is valid apart from the given values. */
function tokens(...users: object[]): object {
  const well = { token: "0123456789abcdef", user: "jane", uid: "1" };
  return { bootstrap: "components", auth: { staticTokens: users.map((user) => ({ ...well, ...user })) } };
}

const cp = host("cp-1", "10.0.0.1", { role: "control-plane" });

test("refuses an unknown runtime and lists the known ones", () =>
  refused({ runtime: "podman" }, "runtime", "use one of containerd, docker"));

describe("defaults", () => {
  test("completes an empty configuration with defaults", async () => {
    await expect(`${JSON.stringify(parseConfig(undefined, surroundings), null, 2)}\n`).toMatchFileSnapshot(
      golden("config/defaults.json"),
    );
  });

  test("uses the default machine kind", () => {
    expect(parseConfig({ machines: { docker: { cpus: 2 } } }, surroundings).machines).toEqual({
      kind: "docker",
      docker: { cpus: 2 },
    });
  });

  test("counts the listed hosts", () => {
    const config = parseConfig(
      ssh(cp, host("w-1", "10.0.0.2"), host("w-2", "10.0.0.3"), host("w-3", "10.0.0.4")),
      surroundings,
    );
    expect([config.controlPlane.count, config.workers.count]).toEqual([1, 3]);
  });

  test("converts flags of any YAML type to text", () => {
    const config = parseConfig(
      { controlPlane: { extraArgs: { apiServer: { v: 4, profiling: false } } } },
      surroundings,
    );
    expect(config.controlPlane.extraArgs.apiServer).toEqual({ v: "4", profiling: "false" });
  });

  test("passes unknown kubelet settings unchanged", () => {
    const kubelet = { maxPods: 250, nodeStatusReportFrequency: "1m", tracing: { samplingRatePerMillion: 10 } };
    expect(parseConfig({ workers: { kubelet } }, surroundings).workers.kubelet).toEqual(kubelet);
  });
});

describe("fields", () => {
  test.each<[unknown, string, string]>([
    [{ source: "internet" }, "source", "auto, official, modules"],
    [{ source: "ftp://mirror" }, "source", "mirror"],
    [{ kubernetes: { version: "v1.36.3" } }, "kubernetes.version", "write 1.36.3"],
    [{ kubernetes: { version: 1.36 } }, "kubernetes.version", "all three parts"],
    [{ network: { podCidr: "10.244.0.0" } }, "network.podCidr", "not an IPv4 CIDR"],
    [{ network: { podCidr: "fd00::/48" } }, "network.podCidr", "IPv6"],
    [{ network: { serviceCidr: "10.10.0.1/16" } }, "network.serviceCidr", "write 10.10.0.0/16"],
    [{ network: { dnsDomain: "Cluster.local" } }, "network.dnsDomain", "DNS domain"],
    [{ network: { proxyMode: "ipvs" } }, "network.proxyMode", "nftables, iptables"],
    [{ network: { flannel: { backend: "udp" } } }, "network.flannel.backend", "host-gw, vxlan"],
    [{ network: null }, "network", "is null"],
    [{ machines: { kind: "vargant" } }, "machines.kind", "use one of docker, ssh, vagrant"],
    [{ workers: { machines: { kind: "podman" } } }, "workers.machines.kind", "use one of docker, ssh, vagrant"],
    [{ machines: { docker: { memoryMiB: 100 } } }, "machines.docker.memoryMiB", "512"],
    [{ controlPlane: { count: 0 } }, "controlPlane.count", "use 1 or more"],
    [{ workers: { count: -1 } }, "workers.count", "use 0 or more"],
    [{ workers: { count: 1.5 } }, "workers.count", "whole number"],
    [{ workers: { count: "two" } }, "workers.count", "is a string"],
    [{ controlPlane: { endpoint: "https://api:6443" } }, "controlPlane.endpoint", "host:port"],
    [{ controlPlane: { endpoint: "api.example.com:66000" } }, "controlPlane.endpoint", "host:port"],
    [{ workers: { labels: { "a/b/c": "x" } } }, 'workers.labels["a/b/c"]', "not a valid key"],
    [{ workers: { labels: { zone: "a b" } } }, "workers.labels.zone", "not a valid value"],
    [{ workers: { labels: { zone: 1 } } }, "workers.labels.zone", "is a number"],
    [{ workers: { annotations: { "-x": "any thing" } } }, "workers.annotations.-x", "not a valid key"],
    [{ workers: { taints: [{ key: "a b", effect: "NoSchedule" }] } }, "workers.taints[0].key", "not a valid key"],
    [
      { workers: { taints: [{ key: "a", value: "!", effect: "NoSchedule" }] } },
      "workers.taints[0].value",
      "not a valid value",
    ],
    [{ controlPlane: { taints: [{ key: "a", effect: "Never" }] } }, "controlPlane.taints[0].effect", "NoExecute"],
    [
      { controlPlane: { extraArgs: { scheduler: { "--v": 4 } } } },
      "controlPlane.extraArgs.scheduler.--v",
      "without dashes",
    ],
    [
      { workers: { extraArgs: { kubelet: { "node-labels": "a b" } } } },
      "workers.extraArgs.kubelet.node-labels",
      "white space",
    ],
    [{ workers: { kubelet: { maxPods: "250" } } }, "workers.kubelet.maxPods", "give a number"],
    [{ workers: { kubelet: { cgroupDriver: "cgroupfs" } } }, "workers.kubelet.cgroupDriver", "set by Kubewright"],
    [{ timeouts: { init: 0 } }, "timeouts.init", "1 or more"],
    [{ pools: { GPU: {} } }, "pools.GPU", "not a pool's name"],
    [{ pools: { worker: {} } }, "pools.worker", "meaning of its own"],
    [{ pools: { gpu: { maxUnavailable: 0 } } }, "pools.gpu.maxUnavailable", "1 or more"],
    [{ pools: { gpu: { kubelet: { maxPods: "250" } } } }, "pools.gpu.kubelet.maxPods", "give a number"],
    [{ workers: { skip: [0] } }, "workers.skip[0]", "1 or more"],
    [
      { workers: { nodes: { "worker-1": { labels: { zone: "a b" } } } } },
      "workers.nodes.worker-1.labels.zone",
      "not a valid value",
    ],
    [{ workers: { hosts: [{ name: "mine", host: "10.0.0.9" }] } }, "workers.hosts[0].privateKeyPath", "is missing"],
    [{ drain: { localData: "keep" } }, "drain.localData", "refuse, delete"],
    [{ bootstrap: "scripts" }, "bootstrap", "kubeadm, components"],
    [{ bootstrap: "components", rung: "etdc" }, "rung", "kubelet, etcd, apiserver, scheduler, controllers, proxy, dns"],
    [{ bootstrap: "components", controlPlane: { runAs: "pods" } }, "controlPlane.runAs", "static-pods, systemd"],
    [
      { bootstrap: "components", admission: { disable: ["service account"] } },
      "admission.disable[0]",
      "ServiceAccount",
    ],
    [tokens({ token: "short" }), "auth.staticTokens[0].token", "shorter than 16 characters"],
    [tokens({ token: "0123456789,abcdef" }), "auth.staticTokens[0].token", "has a comma"],
    [tokens({ token: "0123456789abc def" }), "auth.staticTokens[0].token", "white space"],
    [tokens({ user: "a,b" }), "auth.staticTokens[0].user", "has a comma"],
    [tokens({ uid: "" }), "auth.staticTokens[0].uid", "is empty"],
    [tokens({ groups: ['a"b'] }), "auth.staticTokens[0].groups[0]", "quote"],
    [ssh(cp, host("W_1", "10.0.0.2")), "machines.ssh.hosts[1].name", "DNS-1123"],
    [ssh(cp, host("w-1", "10.0.0.2", { port: 70000 })), "machines.ssh.hosts[1].port", "65535"],
    [ssh(cp, host("w-1", "10.0.0.2", { hostKey: "SHA256:abc" })), "machines.ssh.hosts[1].hostKey", "known_hosts"],
    [ssh(cp, host("w-1", "10.0.0.2", { role: "master" })), "machines.ssh.hosts[1].role", "control-plane, worker"],
    [ssh(cp, host("w-1", "not a host")), "machines.ssh.hosts[1].host", "host name"],
    [ssh(), "machines.ssh.hosts", "1 or more"],
    [[], "configuration", "is a list"],
  ])("%j", refused);
});

describe("unknown properties", () => {
  test.each<[unknown, string, string]>([
    [{ workres: {} }, "workres", "did you mean workers?"],
    [{ network: { servicecidr: "10.10.0.0/16" } }, "network.servicecidr", "did you mean serviceCidr?"],
    [{ timeouts: { xyz: 1 } }, "timeouts.xyz", "use one of init, join, ready"],
    [{ workers: { kubelet: { maxPod: 5 } } }, "workers.kubelet.maxPod", "did you mean maxPods?"],
    [{ machines: { docker: { memoryMB: 4096 } } }, "machines.docker.memoryMB", "did you mean memoryMiB?"],
    [
      { workers: { machines: { docker: { subnet: "10.1.0.0/24" } } } },
      "workers.machines.docker.subnet",
      "use one of cpus, memoryMiB",
    ],
  ])("%j", refused);
});

describe("fields together", () => {
  test.each<[unknown, string, string]>([
    [{ kubernetes: { version: "1.36.2" } }, "kubernetes.version", "1.36.3, 1.36.1"],
    [
      { workers: { version: "1.36.3" }, kubernetes: { version: "1.36.1" } },
      "workers.version",
      "newer than the control plane",
    ],
    [{ workers: { version: "1.32.0" } }, "workers.version", "4 minor versions older"],
    [{ controlPlane: { count: 2 } }, "controlPlane.count", "use 1 or 3"],
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
    [{ rung: "etcd" }, "rung", "bootstrap: components"],
    [{ controlPlane: { runAs: "systemd" } }, "controlPlane.runAs", "bootstrap: components"],
    [{ network: { plugin: "bridge" }, workers: { count: 0 } }, "network.plugin", "bootstrap: components"],
    [{ admission: { disable: ["ServiceAccount"] } }, "admission.disable", "disable-admission-plugins"],
    [{ ...tokens({}), bootstrap: "kubeadm" }, "auth.staticTokens", "bootstrap: components"],
    [{ bootstrap: "components", controlPlane: { count: 3 } }, "controlPlane.count", "use 1, or bootstrap: kubeadm"],
    [{ bootstrap: "components", network: { plugin: "bridge" } }, "network.plugin", "there are 3"],
    [tokens({}, { user: "other" }), "auth.staticTokens[1].token", "auth.staticTokens[0]"],
    [{ pools: { gpu: { version: "1.36.2" } } }, "pools.gpu.version", "1.36.3, 1.36.1"],
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
      "room for 4 nodes with a /24 each, and there are 5",
    ],
    [
      { workers: { hosts: [mine("mine", "10.0.0.9"), mine("mine", "10.0.0.8")] } },
      "workers.hosts[1].name",
      "name of workers.hosts[0]",
    ],
    [
      { workers: { hosts: [mine("mine", "10.0.0.9")] }, pools: { gpu: { hosts: [mine("other", "10.0.0.9")] } } },
      "pools.gpu.hosts[0].host",
      "address of workers.hosts[0]",
    ],
    [{ workers: { hosts: [mine("worker-2", "10.0.0.9")] } }, "workers.hosts[0].name", "name of a machine of workers"],
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
      "there are 5",
    ],
    [
      ssh(cp, host("w-1", "10.0.0.2", { privateKeyPath: "/none" })),
      "machines.ssh.hosts[1].privateKeyPath",
      "there is no file /none",
    ],
  ])("%j", refused);

  test.each<[string, unknown]>([
    ["three minors older", { workers: { version: "1.33.4" } }],
    ["three control planes", { controlPlane: { count: 3 } }],
    ["one node alone", { workers: { count: 0 } }],
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
      "one address with several ports",
      ssh(
        { ...cp, host: "127.0.0.1", port: 2201, privateAddress: "10.0.0.1" },
        host("w-1", "127.0.0.1", { port: 2202, privateAddress: "10.0.0.2" }),
      ),
    ],
  ])("accepted: %s", (_, raw) => {
    expect(problems(raw)).toEqual([]);
  });
});

test("does not show a refused token", () => {
  expect(problems(tokens({ token: "s3cret" })).join()).not.toContain("s3cret");
});

test("includes the images of the examples with bootstrap: components", () => {
  expect(parseConfig({ bootstrap: "components" }, surroundings).extras).toBe(true);
});

describe("several problems", () => {
  test("reports all problems in one message", async () => {
    const raw = {
      ...ssh(cp, host("cp-1", "10.0.0.1"), host("w-2", "10.0.0.3", { privateKeyPath: "/none" })),
      network: { podCidr: "10.244.1.0/16", servceCidr: "10.10.0.0/16", serviceCidr: "10.10.0.0/30" },
      workers: { version: "1.99.0", labels: { "a b": "c" }, kubelet: { maxPods: 300 } },
      timeouts: { init: "5m" },
    };
    await expect(`${new ConfigError(collected(raw)).message}\n`).toMatchFileSnapshot(golden("config/problems.txt"));
  });

  test("reports a wrong field once, and not its default as well", () => {
    refused(
      { network: { podCidr: "10.10.0.0/33", serviceCidr: "10.244.0.0/16" } },
      "network.podCidr",
      "not an IPv4 CIDR",
    );
  });

  test("reports problems of other sections if one section cannot be read", () => {
    const found = problems({ ...ssh({ name: "A" }), controlPlane: { count: 2 } });
    expect(found.some((line) => line.startsWith("machines.ssh.hosts[0].name"))).toBe(true);
    expect(found.some((line) => line.startsWith("controlPlane.count"))).toBe(true);
  });
});
