import { describe, expect, test } from "vitest";
import { dockerConfiguration, enginePackages } from "../../../render/docker";
import { criDockerdFiles, engineFiles } from "../../../render/node-files";
import { joinDocument } from "../../../render/kubeadm";
import { mirrorAllRegistries } from "../../../render/containerd";
import { golden, node } from "./samples";

describe("Docker as the runtime", () => {
  test("renders the engine's configuration, cri-dockerd's units and the mirrors", async () => {
    const mirrors = mirrorAllRegistries("https://mirror.example.com/");
    const all = { ...engineFiles({ mirrors }), ...criDockerdFiles({ pauseImage: "registry.k8s.io/pause:3.10.2" }) };
    const listing = Object.entries(all)
      .map(([path, { content, mode }]) => `=== ${path} ${mode.toString(8)}\n${content}`)
      .join("\n");
    await expect(listing).toMatchFileSnapshot(golden("docker/files.txt"));
  });

  test("uses the kubelet's cgroup driver, and rotates logs before the kubelet would", () => {
    expect(dockerConfiguration()["exec-opts"]).toEqual(["native.cgroupdriver=systemd"]);
    expect(Number.parseInt(dockerConfiguration()["log-opts"]["max-size"])).toBeLessThan(10);
  });

  test("configures kubeadm with cri-dockerd's socket, and by default with containerd's", () => {
    const socket = (runtime?: "docker") =>
      joinDocument({ node: node(runtime ? { runtime } : {}), apiServerEndpoint: "10.0.0.1:6443" }).nodeRegistration
        .criSocket;
    expect([socket("docker"), socket()]).toEqual([
      "unix:///run/cri-dockerd.sock",
      "unix:///run/containerd/containerd.sock",
    ]);
  });

  test.each([
    ["debian", "debian", "12", ["docker.io"]],
    ["debian", "debian", "13", ["docker.io", "docker-cli"]],
    ["debian", "ubuntu", "24.04", ["docker.io"]],
    ["fedora", "fedora", "40", ["moby-engine"]],
    ["fedora", "fedora", "42", ["moby-engine", "docker-cli"]],
    ["other", "arch", "", []],
  ] as const)("the engine of %s: %s %s", (osFamily, osId, osVersion, packages) =>
    expect(enginePackages({ osFamily, osId, osVersion })).toEqual(packages),
  );
});
