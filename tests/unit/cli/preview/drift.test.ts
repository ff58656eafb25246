import { describe, expect, test } from "vitest";
import { driftText } from "../../../../cli/preview/drift";
import { driftMessages } from "../../../../cli/preview/drift-text";
import { lineDiff } from "../../../../provider/preview/line-diff";
import type { Op } from "../../../../provider/preview/step";

const messages = (
  kind: string,
  current: Record<string, unknown>,
  desired: Record<string, unknown>,
  op: Op = "update",
) =>
  driftMessages({
    op,
    urn: `urn:pulumi:dev::kubewright::kubewright:x:${kind}::it`,
    type: `kubewright:x:${kind}`,
    kind,
    name: "it",
    current,
    desired,
    paths: [],
    replacing: [],
  });

describe("drift messages", () => {
  test("describe files that are missing, changed, or have another mode", () => {
    const desired = {
      files: {
        "/a": { content: "1\n2\n3\n", mode: "0644" },
        "/b": { content: "x", mode: "0600" },
        "/c": { content: "", mode: "0644" },
      },
    };
    const current = { files: { "/a": { content: "1\ntwo\n3\n", mode: "0644" }, "/b": { content: "x", mode: "0666" } } };
    expect(messages("Files", current, desired)).toEqual([
      "/a was changed:\n    line 2:\n    - two\n    + 2",
      "/b has mode 0666, not 0600",
      "/c is missing",
    ]);
  });

  test("describe units that are stopped, disabled, masked, or must restart", () => {
    const desired = { unit: "kubelet.service", files: {}, enabled: true, running: true, restartOn: { kubelet: "b" } };
    expect(messages("Unit", { ...desired, enabled: false, running: false, problem: "not running" }, desired)).toEqual([
      "kubelet.service is not running",
      "kubelet.service is disabled",
    ]);
    expect(messages("Unit", { ...desired, problem: "masked" }, desired)).toEqual(["kubelet.service is masked"]);
    expect(messages("Unit", { ...desired, restartOn: { kubelet: "a" } }, desired)).toEqual([
      "kubelet.service must restart: kubelet has changed",
    ]);
  });

  test("describe kernel settings, binaries, packages and images", () => {
    expect(
      messages("Kernel", { sysctls: { a: "0" }, problem: "swap is on (512 MiB)" }, { sysctls: { a: "1" } }),
    ).toEqual(["swap is on (512 MiB)", "a is 0, not 1"]);
    expect(
      messages(
        "Binaries",
        { files: { "/k": "b".repeat(64), "/m": "mode 0644, not 0755" } },
        { files: { "/k": "a".repeat(64), "/l": "c", "/m": "d" } },
      ),
    ).toEqual([
      "/k differs: SHA-256 bbbbbbbbbbbb..., not aaaaaaaaaaaa...",
      "/l is missing",
      "/m has mode 0644, not 0755",
    ]);
    expect(messages("Packages", { packages: ["a"] }, { packages: ["a", "b"] })).toEqual(["package b is not installed"]);
    expect(
      messages(
        "Images",
        { archives: { w: { refs: ["x"] } }, pull: [] },
        { archives: { w: { refs: ["x", "y"] } }, pull: ["z"] },
      ),
    ).toEqual(["image y is missing", "image z is missing"]);
  });

  test("describe nodes that are cordoned, unlabeled, untainted or missing, and rebuilt or stopped machines", () => {
    const desired = {
      node: "w",
      schedulable: true,
      labels: { a: "1", b: "2" },
      annotations: {},
      taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
    };
    expect(messages("Node", { ...desired, schedulable: false, labels: { a: "x" }, taints: [] }, desired)).toEqual([
      "w is cordoned",
      "label a of w is x, not 1",
      "label b of w is missing",
      "taint k=v:NoSchedule of w is missing",
    ]);
    expect(messages("Node", {}, desired, "create")).toEqual(["node w is not in the cluster"]);
    expect(messages("Host", {}, { connection: {} }, "replace")).toEqual([
      "the machine was rebuilt: everything on it will be set up again",
    ]);
    expect(messages("Machine", { running: false }, { running: true })).toEqual(["the machine is stopped"]);
  });

  test("describe a property without a message of its own by its path", () => {
    expect(messages("Other", { a: 1, b: 2 }, { a: 1, b: 3 })).toEqual(["Other it: b differs from the configuration"]);
  });
});

test("a long diff is cut, with the number of remaining lines", () => {
  const lines = lineDiff(`${"a\n".repeat(50)}`, "b\n").split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe("    and 31 more lines");
});

test("the report lists machines in the order of their numbers", () => {
  const one = (machine: string) => ({ machine, resource: "r", differences: [`${machine} is cordoned`] });
  expect(driftText({ drift: [one("worker-10"), one("worker-2")], notices: ["a note"], complete: true })).toBe(
    "note: a note\n\nworker-2\n  worker-2 is cordoned\n\nworker-10\n  worker-10 is " +
      "cordoned\n\n`npm start -- --refresh` repairs this and restarts only what it must\n",
  );
});
