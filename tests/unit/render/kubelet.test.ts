import { describe, expect, test } from "vitest";
import { kubeletConfigurationText, kubeletDefaults } from "../../../render/kubelet";
import { golden } from "./samples";

describe("kubelet's own settings", () => {
  test("a worker with many pods on cgroup v2", async () => {
    const settings = { maxPods: 250, evictionHard: { "memory.available": "100Mi" }, systemReserved: { cpu: "200m", memory: "300Mi" }, podPidsLimit: undefined };
    const text = kubeletConfigurationText({ settings, facts: { cgroupVersion: 2 } });
    await expect(text).toMatchFileSnapshot(golden("kubelet/10-kubewright.max-pods.conf"));
  });

  test("cgroup v1 is accepted only where the machine has it", async () => {
    await expect(kubeletConfigurationText({ facts: { cgroupVersion: 1 } })).toMatchFileSnapshot(golden("kubelet/10-kubewright.cgroup-v1.conf"));
    expect(kubeletConfigurationText({ facts: { cgroupVersion: 2 } })).not.toContain("failCgroupV1");
  });
});

describe("kubelet's flags", () => {
  test("the node's address comes first and may be overridden", () => {
    expect(kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { v: "4" } })).toBe('KUBELET_EXTRA_ARGS="--node-ip=10.0.0.9 --v=4"\n');
    expect(kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { "node-ip": "10.0.0.10" } })).toBe('KUBELET_EXTRA_ARGS="--node-ip=10.0.0.10"\n');
  });

  test.each(["a b", 'a"b', "a'b", "$a", "a\\b"])("a value that systemd would change is refused: %s", (value) => {
    expect(() => kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { v: value } })).toThrow("--v");
  });
});
