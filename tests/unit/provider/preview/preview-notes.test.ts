import { expect, test } from "vitest";
import type { PlannedChange } from "../../../../provider/rpc/pending-notes";
import { previewNotes } from "../../../../provider/preview/preview-notes";

function plannedChange(type: string, name: string, parts: Partial<PlannedChange>): PlannedChange {
  return {
    urn: `urn:pulumi:dev::kubewright::kubewright:${type}::${name}`,
    type: `kubewright:${type}`,
    name,
    replaced: false,
    current: {},
    desired: {},
    paths: [],
    replacing: [],
    ...parts,
  };
}

const connection = { name: "worker-1", host: "10.0.0.12" };

test("a recreated machine is drained first, with the reason", () => {
  const replaced = plannedChange("docker:Machine", "worker-1", {
    replaced: true,
    current: { image: "a" },
    desired: { image: "b" },
    paths: ["image"],
    replacing: ["image"],
  });
  expect(previewNotes(replaced)).toEqual({
    disruptions: ["worker-1 is drained, and its machine is recreated, because image changes from a to b"],
    changes: ["Machine worker-1 is replaced, because image changes from a to b"],
  });
});

test("a changed file is shown by its lines, with the unit that restarts", () => {
  const files = (content: string) => ({
    connection,
    unit: "kubelet.service",
    running: true,
    files: { "/etc/a.conf": { content, mode: "0644" } },
  });
  const changed = plannedChange("host:Unit", "worker-1-kubelet", {
    current: files("one\ntwo\n"),
    desired: files("one\nthree\n"),
    paths: ['files["/etc/a.conf"].content'],
  });
  expect(previewNotes(changed)).toEqual({
    disruptions: [],
    changes: [
      "/etc/a.conf changes:\n    line 2:\n    - two\n    + three",
      "kubelet.service restarts, because its files change",
    ],
  });
});

test.each([
  ["local:SshKey", "dev-ssh-key", ["privateKey"], /: privateKey is recorded in the state$/],
  ["local:Kubeconfig", "kubeconfig", ["sha256"], /^\.kubewright\/dev\/kubeconfig is written$/],
])("an output of %s that changes is not described as removed", (type, name, paths, note) => {
  const desired = { path: `.kubewright/dev/${name}` };
  const { changes } = previewNotes(plannedChange(type, name, { current: desired, desired, paths }));
  expect(changes).toEqual([expect.stringMatching(note)]);
});

test("the note of one control plane leaves open whether there are others", () => {
  const document = (v: string) => ({ connection, documents: [{ kind: "ClusterConfiguration", apiServer: { v } }] });
  const changed = plannedChange("kubeadm:ControlPlane", "control-plane-1-control-plane", {
    current: document("1"),
    desired: document("2"),
    paths: ["documents[0].apiServer.v"],
  });
  expect(previewNotes(changed).disruptions).toEqual([
    "the API server of worker-1 restarts (with a single control plane the API is " +
      "unavailable for some seconds), because ClusterConfiguration.apiServer.v changes from 1 to 2",
  ]);
});

test("other keys for the next certificates restart no server", () => {
  const document = (encryptionAlgorithm: string) => ({
    connection,
    documents: [{ kind: "ClusterConfiguration", encryptionAlgorithm }],
  });
  const changed = plannedChange("kubeadm:ControlPlane", "control-plane-1-control-plane", {
    current: document("RSA-2048"),
    desired: document("ECDSA-P256"),
    paths: ["documents[0].encryptionAlgorithm"],
  });
  const { changes, disruptions } = previewNotes(changed);
  expect(changes.join("\n")).toContain("ClusterConfiguration.encryptionAlgorithm");
  expect(disruptions).toEqual([]);
});

test("replacing the machine that holds the cluster warns of the loss", () => {
  const replaced = plannedChange("kubeadm:Init", "control-plane-1-init", {
    replaced: true,
    current: { connection, instance: "a" },
    desired: { connection, instance: "b" },
    paths: ["instance"],
    replacing: ["instance"],
  });
  expect(previewNotes(replaced).disruptions).toEqual([expect.stringContaining("everything in it is LOST")]);
});

test("a file that the unit reads again is shown with the reload of the unit", () => {
  const file = (content: string) => ({
    connection,
    unit: "balancer.service",
    running: true,
    reloadable: ["/etc/a.conf"],
    files: { "/etc/a.conf": { content, mode: "0644" } },
  });
  const changed = plannedChange("host:Unit", "worker-1-api-balancer", {
    current: file("one\n"),
    desired: file("two\n"),
    paths: ['files["/etc/a.conf"].content'],
  });
  expect(previewNotes(changed).changes.at(-1)).toBe("balancer.service is reloaded, because its files change");
});

test("a kubelet that gets another address of the API server restarts, and its pods do not", () => {
  const changed = plannedChange("kubeadm:Join", "worker-1-join", {
    current: { connection },
    desired: { connection, endpoint: "api.dev.internal:7443" },
    paths: ["endpoint"],
  });
  expect(previewNotes(changed)).toMatchObject({
    disruptions: [],
    changes: expect.arrayContaining([
      "the kubelet restarts and then uses api.dev.internal:7443; its pods keep running",
    ]) as string[],
  });
});
