import { describe, expect, test } from "vitest";
import { mirrorAllRegistries } from "../../../render/containerd";
import { containerFacts, facts, golden, nodeFiles, type NodeFilesOptions } from "./samples";

function options(machine = facts()): NodeFilesOptions {
  return {
    runtime: {
      pauseImage: "registry.k8s.io/pause:3.10.2",
      facts: machine,
      mirrors: mirrorAllRegistries("https://mirror.example.com/"),
    },
    kubelet: { nodeIp: "10.77.0.22", version: "1.36.3", facts: machine, settings: { maxPods: 250 } },
    guard: { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
  };
}

/** Returns one text with every file as it is written to the machine. */
function listing(given: NodeFilesOptions): string {
  return Object.entries(nodeFiles(given))
    .map(([path, { content, mode }]) => `=== ${path} ${mode.toString(8)}\n${content}`)
    .join("\n");
}

describe("files of a node", () => {
  test("a virtual machine", async () => {
    await expect(listing(options())).toMatchFileSnapshot(golden("node-files/machine.txt"));
  });

  test("a container on the test hosts", async () => {
    await expect(listing(options(containerFacts))).toMatchFileSnapshot(golden("node-files/container.txt"));
  });

  test("only root may read the kubelet's files", () => {
    const files = nodeFiles(options());
    const paths = Object.keys(files).filter((path) => path.includes("kubelet"));
    expect(paths).toHaveLength(4);
    for (const path of paths) expect(files[path]?.mode, path).toBe(0o600);
  });

  test("kubeadm's files of the kubelet are closed to other users before each start", () => {
    const { content } = nodeFiles(options())["/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"] ?? {};
    expect(content).toMatch(/^ExecStartPre=-chmod -f 0600 .*config\.yaml .*kubeadm-flags\.env/m);
  });

  test("every file ends with a line feed and contains no placeholder", () => {
    for (const [path, { content }] of Object.entries(nodeFiles(options()))) {
      expect(content, path).toMatch(/\n$/);
      expect(content, path).not.toMatch(/@[A-Z_]+@/);
    }
  });
});
