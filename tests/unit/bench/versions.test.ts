import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ArtifactSet } from "../../../artifacts";
import { readVersions, renderVersions } from "../../bench/versions";

test("a report has the versions of both sides", () => {
  expect(
    renderVersions({
      kubewright: "0.1.0",
      commit: "80fe8a7-dirty",
      pulumi: "3.255.0",
      scripts: ["bringup.sh 0123456789ab"],
      openssh: "OpenSSH_9.2p1",
      kubernetes: "1.36.3",
      containerd: "2.4.2",
      images: ["etcd:3.6.8-0", "coredns:v1.14.7"],
    }),
  ).toBe(`
Versions
  Kubewright   0.1.0 (commit 80fe8a7-dirty), Pulumi 3.255.0
  scripts      bringup.sh 0123456789ab, OpenSSH_9.2p1
  both         Kubernetes 1.36.3, containerd 2.4.2, etcd:3.6.8-0, coredns:v1.14.7
`);
});

test("a script's version is the hash of its text, and a script that does not exist has none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kubewright-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, "bringup.sh");
  writeFileSync(script, "abc");
  const refs = { etcd: "registry.k8s.io/etcd:3.6.8-0", flannel: "docker.io/flannel/flannel:v1", coredns: "coredns:v2" };
  const versions = await readVersions(
    {
      pulumi: "3.255.0",
      kubernetes: "1.36.3",
      artifacts: { refs } as unknown as ArtifactSet,
      scripts: [script, join(folder, "none.sh")],
    },
    new AbortController().signal,
  );
  expect(versions.scripts).toEqual(["bringup.sh ba7816bf8f01"]); // the SHA-256 of "abc"
  expect(versions.images).toEqual(["etcd:3.6.8-0", "flannel:v1", "coredns:v2"]);
  expect(versions.containerd).toMatch(/^\d+\.\d+\.\d+$/);
});
