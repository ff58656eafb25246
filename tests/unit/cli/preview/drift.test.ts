import { describe, expect, test } from "vitest";
import { driftText } from "../../../../cli/preview/drift";
import { driftWords } from "../../../../cli/preview/drift-text";
import { lineDiff } from "../../../../provider/preview/line-diff";
import type { Op } from "../../../../provider/preview/step";

const said = (kind: string, found: Record<string, unknown>, wanted: Record<string, unknown>, op: Op = "update") =>
  driftWords({
    op,
    urn: `urn:pulumi:dev::kubewright::kubewright:x:${kind}::it`,
    type: `kubewright:x:${kind}`,
    kind,
    name: "it",
    found,
    wanted,
    paths: [],
    replacing: [],
  });

describe("what an operator reads", () => {
  test("files: missing, changed with the lines, another mode", () => {
    const wanted = {
      files: {
        "/a": { content: "1\n2\n3\n", mode: "0644" },
        "/b": { content: "x", mode: "0600" },
        "/c": { content: "", mode: "0644" },
      },
    };
    const found = { files: { "/a": { content: "1\ntwo\n3\n", mode: "0644" }, "/b": { content: "x", mode: "0666" } } };
    expect(said("Files", found, wanted)).toEqual([
      "/a was changed:\n    line 2:\n    - two\n    + 2",
      "/b has the mode 0666, not 0600",
      "/c is missing",
    ]);
  });

  test("units: stopped, disabled, masked, to be restarted", () => {
    const wanted = { unit: "kubelet.service", files: {}, enabled: true, running: true, restartOn: { kubelet: "b" } };
    expect(said("Unit", { ...wanted, enabled: false, running: false, problem: "not running" }, wanted)).toEqual([
      "kubelet.service is not running",
      "kubelet.service is disabled",
    ]);
    expect(said("Unit", { ...wanted, problem: "masked" }, wanted)).toEqual(["kubelet.service is masked"]);
    expect(said("Unit", { ...wanted, restartOn: { kubelet: "a" } }, wanted)).toEqual([
      "kubelet.service is to be restarted: kubelet is replaced",
    ]);
  });

  test("kernel, binaries, packages, images", () => {
    expect(said("Kernel", { sysctls: { a: "0" }, problem: "swap is on (512 MiB)" }, { sysctls: { a: "1" } })).toEqual([
      "swap is on (512 MiB)",
      "a is 0, not 1",
    ]);
    expect(
      said(
        "Binaries",
        { files: { "/k": "b".repeat(64), "/m": "mode 0644, not 0755" } },
        { files: { "/k": "a".repeat(64), "/l": "c", "/m": "d" } },
      ),
    ).toEqual([
      "/k is another file: SHA-256 bbbbbbbbbbbb..., not aaaaaaaaaaaa...",
      "/l is missing",
      "/m has mode 0644, not 0755",
    ]);
    expect(said("Packages", { packages: ["a"] }, { packages: ["a", "b"] })).toEqual(["the package b is not installed"]);
    expect(
      said(
        "Images",
        { archives: { w: { refs: ["x"] } }, pull: [] },
        { archives: { w: { refs: ["x", "y"] } }, pull: ["z"] },
      ),
    ).toEqual(["the image y is missing", "the image z is missing"]);
  });

  test("nodes: cordoned, unlabelled, untainted, gone; machines: rebuilt, stopped, gone", () => {
    const wanted = {
      node: "w",
      schedulable: true,
      labels: { a: "1", b: "2" },
      annotations: {},
      taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
    };
    expect(said("Node", { ...wanted, schedulable: false, labels: { a: "x" }, taints: [] }, wanted)).toEqual([
      "w is cordoned",
      "the label a of w is x, not 1",
      "w lacks the label b",
      "w lacks the taint k=v:NoSchedule",
    ]);
    expect(said("Node", {}, wanted, "create")).toEqual(["the node w is not in the cluster any more"]);
    expect(said("Host", {}, { connection: {} }, "replace")).toEqual([
      "the machine was rebuilt: everything on it is made anew",
    ]);
    expect(said("Machine", { running: false }, { running: true })).toEqual(["the machine is stopped"]);
  });

  test("what there are no words for is still said", () => {
    expect(said("Other", { a: 1, b: 2 }, { a: 1, b: 3 })).toEqual(["Other it: b is not as configured"]);
  });
});

test("a long diff is cut, and says so", () => {
  const lines = lineDiff(`${"a\n".repeat(50)}`, "b\n").split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe("    and 31 more lines");
});

test("by machine, in the order of their numbers", () => {
  const one = (machine: string) => ({ machine, resource: "r", found: [`${machine} is cordoned`] });
  expect(driftText({ drift: [one("worker-10"), one("worker-2")], notices: ["a note"], complete: true })).toBe(
    "note: a note\n\nworker-2\n  worker-2 is cordoned\n\nworker-10\n  worker-10 is cordoned\n\n`npm start -- --refresh` mends this, and restarts only what it must\n",
  );
});
