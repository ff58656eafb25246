import { describe, expect, test } from "vitest";
import { kubeletConfiguration, kubeletConfigurationText, kubeletDefaults } from "../../../render/kubelet";
import { golden } from "./samples";

describe("kubelet settings", () => {
  test("a worker with many pods on cgroup v2", async () => {
    const settings = {
      maxPods: 250,
      evictionHard: { "memory.available": "100Mi" },
      systemReserved: { cpu: "200m", memory: "300Mi" },
      podPidsLimit: undefined,
    };
    const text = kubeletConfigurationText({ settings, facts: { cgroupVersion: 2 }, version: "1.36.3" });
    await expect(text).toMatchFileSnapshot(golden("kubelet/10-kubewright.max-pods.conf"));
  });

  test("accepts cgroup v1 only on machines that use it", async () => {
    await expect(kubeletConfigurationText({ facts: { cgroupVersion: 1 }, version: "1.36.3" })).toMatchFileSnapshot(
      golden("kubelet/10-kubewright.cgroup-v1.conf"),
    );
    expect(kubeletConfigurationText({ facts: { cgroupVersion: 2 }, version: "1.36.3" })).not.toContain("failCgroupV1");
  });
});

describe("the kubelet's TLS", () => {
  const options = { facts: { cgroupVersion: 2 as const }, version: "1.36.3" };

  test("accepts TLS 1.2 with strong cipher suites, and newer versions", () => {
    const { tlsMinVersion, tlsCipherSuites } = kubeletConfiguration(options);
    expect(tlsMinVersion).toBe("VersionTLS12");
    expect(tlsCipherSuites).toContain("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    expect(JSON.stringify(tlsCipherSuites)).not.toContain("CBC");
  });

  test("can be set by the user", () => {
    const settings = { tlsMinVersion: "VersionTLS13" };
    expect(kubeletConfiguration({ ...options, settings }).tlsMinVersion).toBe("VersionTLS13");
  });
});

describe("the kubelet's serving certificate", () => {
  const options = { facts: { cgroupVersion: 2 as const }, version: "1.36.3" };

  test("is requested from the cluster, whatever the user's settings", () => {
    const settings = { serverTLSBootstrap: false };
    const { serverTLSBootstrap } = kubeletConfiguration({ ...options, settings, requestsCertificate: true });
    expect(serverTLSBootstrap).toBe(true);
  });

  test("is the user's decision otherwise", () => {
    expect(kubeletConfiguration(options)).not.toHaveProperty("serverTLSBootstrap");
    const settings = { serverTLSBootstrap: true };
    expect(kubeletConfiguration({ ...options, settings }).serverTLSBootstrap).toBe(true);
  });
});

describe("kubelet's flags", () => {
  test("the node address comes first and can be overridden", () => {
    expect(kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { v: "4" } })).toBe(
      'KUBELET_EXTRA_ARGS="--node-ip=10.0.0.9 --v=4"\n',
    );
    expect(kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { "node-ip": "10.0.0.10" } })).toBe(
      'KUBELET_EXTRA_ARGS="--node-ip=10.0.0.10"\n',
    );
  });

  test.each(["a b", 'a"b', "a'b", "$a", "a\\b"])("refuses a value that systemd would change: %s", (value) => {
    expect(() => kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { v: value } })).toThrow("--v");
  });
});

describe("cri-dockerd's streams", () => {
  const gates = (version: string, runtime: "containerd" | "docker", featureGates?: Record<string, boolean>) =>
    kubeletConfiguration({
      facts: { cgroupVersion: 2 },
      version,
      runtime,
      ...(featureGates ? { settings: { featureGates } } : {}),
    }).featureGates;

  test("disables the kubelet's WebSocket client if it has one", () => {
    expect(gates("1.36.3", "docker")).toEqual({ ExtendWebSocketsToKubelet: false });
    expect(gates("1.35.4", "docker")).toBeUndefined();
    expect(gates("1.36.3", "containerd")).toBeUndefined();
  });

  test("merges the user's feature gates, which take precedence", () => {
    expect(gates("1.36.3", "docker", { NodeSwap: true })).toEqual({ ExtendWebSocketsToKubelet: false, NodeSwap: true });
    expect(gates("1.36.3", "docker", { ExtendWebSocketsToKubelet: true })).toEqual({ ExtendWebSocketsToKubelet: true });
  });
});
