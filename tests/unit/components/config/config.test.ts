import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "../../../../components/config";
import { golden } from "../../render/samples";
import { collected, cp, environment, host, problems, refused, ssh, tokens } from "./samples";

test("refuses an unknown runtime, and lists the supported ones", () =>
  refused({ runtime: "podman" }, "runtime", "use one of containerd, docker"));

describe("defaults", () => {
  test("fill in an empty configuration", async () => {
    await expect(`${JSON.stringify(parseConfig(undefined, environment), null, 2)}\n`).toMatchFileSnapshot(
      golden("config/defaults.json"),
    );
  });

  test("the kind of machines has a default", () => {
    expect(parseConfig({ machines: { docker: { cpus: 2 } } }, environment).machines).toEqual({
      kind: "docker",
      docker: { cpus: 2 },
    });
  });

  test("listed hosts set the counts", () => {
    const config = parseConfig(
      ssh(cp, host("w-1", "10.0.0.2"), host("w-2", "10.0.0.3"), host("w-3", "10.0.0.4")),
      environment,
    );
    expect([config.controlPlane.count, config.workers.count]).toEqual([1, 3]);
  });

  test("flags become strings", () => {
    const config = parseConfig({ controlPlane: { extraArgs: { apiServer: { v: 4, profiling: false } } } }, environment);
    expect(config.controlPlane.extraArgs.apiServer).toEqual({ v: "4", profiling: "false" });
  });

  test("unchecked kubelet settings are passed on", () => {
    const kubelet = { maxPods: 250, nodeStatusReportFrequency: "1m", tracing: { samplingRatePerMillion: 10 } };
    expect(parseConfig({ workers: { kubelet } }, environment).workers.kubelet).toEqual(kubelet);
  });
});

test("an endpoint that is a text, as in earlier versions, is an external address", () => {
  const raw = { controlPlane: { count: 3, endpoint: "api.example.com:6443" } };
  expect(parseConfig(raw, environment).controlPlane).toMatchObject({
    count: 3,
    endpoint: { kind: "external", address: "api.example.com:6443" },
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
    [{ network: null }, "network", "must be an object, not null"],
    [{ machines: { kind: "vargant" } }, "machines.kind", "use one of docker, ssh, vagrant"],
    [{ workers: { machines: { kind: "podman" } } }, "workers.machines.kind", "use one of docker, ssh, vagrant"],
    [{ machines: { docker: { memoryMiB: 100 } } }, "machines.docker.memoryMiB", "512"],
    [{ controlPlane: { count: 0 } }, "controlPlane.count", "use 1 or more"],
    [{ workers: { count: -1 } }, "workers.count", "use 0 or more"],
    [{ workers: { count: 1.5 } }, "workers.count", "whole number"],
    [{ workers: { count: "two" } }, "workers.count", "must be a number, not a string"],
    [{ controlPlane: { endpoint: "https://api:6443" } }, "controlPlane.endpoint.address", "host:port"],
    [{ controlPlane: { endpoint: "api.example.com:66000" } }, "controlPlane.endpoint.address", "host:port"],
    [{ workers: { labels: { "a/b/c": "x" } } }, 'workers.labels["a/b/c"]', "not a valid key"],
    [{ workers: { labels: { zone: "a b" } } }, "workers.labels.zone", "not a valid value"],
    [{ workers: { labels: { zone: 1 } } }, "workers.labels.zone", "must be a string, not a number"],
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
    [{ workers: { kubelet: { maxPods: "250" } } }, "workers.kubelet.maxPods", "must be a number"],
    [{ workers: { kubelet: { cgroupDriver: "cgroupfs" } } }, "workers.kubelet.cgroupDriver", "set by Kubewright"],
    [{ timeouts: { init: 0 } }, "timeouts.init", "1 or more"],
    [{ pools: { GPU: {} } }, "pools.GPU", "not a valid name of a pool"],
    [{ pools: { worker: {} } }, "pools.worker", "reserved name"],
    [{ pools: { gpu: { maxUnavailable: 0 } } }, "pools.gpu.maxUnavailable", "1 or more"],
    [{ pools: { gpu: { kubelet: { maxPods: "250" } } } }, "pools.gpu.kubelet.maxPods", "must be a number"],
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
    [[], "configuration", "must be an object, not a list"],
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

test("the message about an invalid token does not show it", () => {
  expect(problems(tokens({ token: "s3cret" })).join()).not.toContain("s3cret");
});

test("bootstrap: components loads the images of the examples", () => {
  expect(parseConfig({ bootstrap: "components" }, environment).extras).toBe(true);
});

describe("several problems", () => {
  test("are reported in one message", async () => {
    const raw = {
      ...ssh(cp, host("cp-1", "10.0.0.1"), host("w-2", "10.0.0.3", { privateKeyPath: "/none" })),
      network: { podCidr: "10.244.1.0/16", servceCidr: "10.10.0.0/16", serviceCidr: "10.10.0.0/30" },
      workers: { version: "1.99.0", labels: { "a b": "c" }, kubelet: { maxPods: 300 } },
      timeouts: { init: "5m" },
    };
    await expect(`${new ConfigError(collected(raw)).message}\n`).toMatchFileSnapshot(golden("config/problems.txt"));
  });

  test("an invalid field is not checked together with others by its default", () => {
    refused(
      { network: { podCidr: "10.10.0.0/33", serviceCidr: "10.244.0.0/16" } },
      "network.podCidr",
      "not an IPv4 CIDR",
    );
  });

  test("an invalid section does not hide problems of other sections", () => {
    const found = problems({ ...ssh({ name: "A" }), controlPlane: { count: 2 } });
    expect(found.some((line) => line.startsWith("machines.ssh.hosts[0].name"))).toBe(true);
    expect(found.some((line) => line.startsWith("controlPlane.count"))).toBe(true);
  });
});
