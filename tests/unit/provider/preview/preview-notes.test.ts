import { expect, test } from "vitest";
import type { PlannedChange } from "../../../../provider/rpc/pending-notes";
import { foretell } from "../../../../provider/preview/preview-notes";

function foresight(type: string, name: string, parts: Partial<PlannedChange>): PlannedChange {
  return {
    urn: `urn:pulumi:dev::kubewright::kubewright:${type}::${name}`,
    type: `kubewright:${type}`,
    name,
    replaced: false,
    found: {},
    wanted: {},
    paths: [],
    replacing: [],
    ...parts,
  };
}

const connection = { name: "worker-1", host: "10.0.0.12" };

test("a machine that is made anew is drained first, and why is said", () => {
  const replaced = foresight("docker:Machine", "worker-1", {
    replaced: true,
    found: { image: "a" },
    wanted: { image: "b" },
    paths: ["image"],
    replacing: ["image"],
  });
  expect(foretell(replaced)).toEqual({
    disruptions: ["worker-1 is drained and its machine is made anew, because image changes from a to b"],
    changes: ["Machine worker-1 is made anew, because image changes from a to b"],
  });
});

test("a file is shown by its lines, and what restarts for it", () => {
  const files = (content: string) => ({
    connection,
    unit: "kubelet.service",
    running: true,
    files: { "/etc/a.conf": { content, mode: "0644" } },
  });
  const changed = foresight("host:Unit", "worker-1-kubelet", {
    found: files("one\ntwo\n"),
    wanted: files("one\nthree\n"),
    paths: ['files["/etc/a.conf"].content'],
  });
  expect(foretell(changed)).toEqual({
    disruptions: [],
    changes: [
      "/etc/a.conf changes:\n    line 2:\n    - two\n    + three",
      "kubelet.service restarts, because its files change",
    ],
  });
});

test("of one control plane it is not known whether there are others", () => {
  const document = (v: string) => ({ connection, documents: [{ kind: "ClusterConfiguration", apiServer: { v } }] });
  const changed = foresight("kubeadm:Init", "control-plane-1-init", {
    found: document("1"),
    wanted: document("2"),
    paths: ["documents[0].apiServer.v"],
  });
  expect(foretell(changed).disruptions).toEqual([
    "the API server of worker-1 restarts (with one control plane only, the API is away for some seconds), because ClusterConfiguration.apiServer.v changes from 1 to 2",
  ]);
});

test("the cluster's own machine says what is lost with it", () => {
  const replaced = foresight("kubeadm:Init", "control-plane-1-init", {
    replaced: true,
    found: { connection, instance: "a" },
    wanted: { connection, instance: "b" },
    paths: ["instance"],
    replacing: ["instance"],
  });
  expect(foretell(replaced).disruptions).toEqual([expect.stringContaining("all that is in it is LOST")]);
});
