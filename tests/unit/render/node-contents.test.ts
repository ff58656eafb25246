import { expect, test } from "vitest";
import { criDockerdUnit } from "../../../render/docker";
import { type NodeBinary, nodeBinaries, requiredPackages } from "../../../render/node-contents";
import { facts, nodeFiles } from "./samples";

const names: NodeBinary[] = [
  "cri-dockerd",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "runc",
  "kubelet",
  "kubeadm",
  "bridge",
  "loopback",
  "host-local",
  "portmap",
];
const cached = Object.fromEntries(
  names.map((name) => [name, { path: `/cache/${name}`, sha256: `sum-${name}` }]),
) as Parameters<typeof nodeBinaries>[0];

test("installs binaries where units and configuration expect them", () => {
  const plan = nodeBinaries(cached, "containerd");
  const texts = Object.values(
    nodeFiles({
      runtime: { pauseImage: "pause", facts: facts() },
      kubelet: { nodeIp: "10.0.0.1", version: "1.36.3", facts: facts() },
      guard: { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
    }),
  )
    .map(({ content }) => content)
    .join("\n");
  const named = new Set(texts.match(/\/usr\/local\/s?bin\/[a-z-]+/g));
  expect([...named].sort()).toEqual(["/usr/local/bin/containerd", "/usr/local/bin/kubelet", "/usr/local/sbin/runc"]);
  for (const path of named) expect(Object.keys(plan.files)).toContain(path);
  expect(plan.sources["sum-kubelet"]).toBe("/cache/kubelet");
});

test("installs the programs that the guard runs", () => {
  for (const osFamily of ["debian", "fedora"] as const) {
    expect(requiredPackages({ osFamily })).toEqual(
      expect.arrayContaining(["nftables", expect.stringMatching(/^iproute2?$/)]),
    );
  }
});

test("with Docker, installs cri-dockerd instead of containerd and runc", () => {
  const plan = nodeBinaries(cached, "docker");
  const [, path] = /ExecStart=(\S+)/.exec(criDockerdUnit("pause")) ?? [];
  expect(plan.files[path ?? ""]).toBe("sum-cri-dockerd");
  expect(Object.keys(plan.files).filter((file) => /containerd|runc|ctr/.test(file))).toEqual([]);
  expect(plan.hashes.kubelet).toBe("sum-kubelet");
});

test("reports a missing binary as an internal error", () => {
  expect(() => nodeBinaries({ ...cached, "cri-dockerd": undefined }, "docker")).toThrow("docker needs cri-dockerd");
});
