import { describe, expect, test } from "vitest";
import { undoStages } from "../../../../cli/nodes/upgrade-stages";
import { planUndo, undoPlanText, type UndoFacts } from "../../../../cli/nodes/upgrade-undo";

function node(name: string, version: string, role?: string): UndoFacts["nodes"][number] {
  return { name, version, roles: role ? [role] : [] } as never;
}

function plan(changes: Partial<UndoFacts> = {}) {
  const nodes = [node("cp-1", "1.36.3", "control-plane"), node("worker-1", "1.35.4")];
  return planUndo({ apiServers: ["1.36.3"], nodes, isEmulating: true, ...changes });
}

test("control planes return to the version of the workers", () => {
  expect(plan()).toMatchObject({ from: "1.36.3", to: "1.35.4", controlPlanes: ["cp-1"], additional: [] });
  expect(undoPlanText(plan())).toBe(`Undo: 1.36.3 -> 1.35.4

In this order:
  1. cp-1: a snapshot of etcd, then the static pods, then the kubelet, one after the other
  2. kube-proxy and CoreDNS
`);
});

test("the plan of the ladder has the services of systemd, and the add-ons of its rung", () => {
  const patch = { isEmulating: false, to: "1.36.1", nodes: [node("cp-1", "1.36.3", "control-plane")] };
  const textOf = (ladder: NonNullable<UndoFacts["ladder"]>) => undoPlanText(plan({ ...patch, ladder }));
  expect(textOf({ rung: "dns", runAs: "systemd" })).toContain("a snapshot of etcd, then the services, then");
  expect(textOf({ rung: "proxy", runAs: "static-pods" })).toMatch(/then the static pods, .*\n {2}2\. kube-proxy\n$/);
  expect(textOf({ rung: "controllers", runAs: "systemd" })).not.toContain("2.");
});

test("also where an upgrade ended between the control planes", () => {
  const nodes = [node("cp-1", "1.35.4", "control-plane"), node("cp-2", "1.35.4", "control-plane")];
  expect(plan({ nodes, apiServers: ["1.35.4", "1.36.3"] })).toMatchObject({ from: "1.36.3", to: "1.35.4" });
});

test("control planes do not return to a version that is older than a kubelet", () => {
  const nodes = [node("cp-1", "1.36.3", "control-plane"), node("worker-1", "1.35.3"), node("worker-2", "1.35.4")];
  expect(plan({ nodes }).to).toBe("1.35.4");
  expect(plan({ nodes: [...nodes, node("old-1", "1.34.4")] }).to).toBe("1.35.4");
});

test("an upgrade is not undone without emulation, except that of a patch release", () => {
  expect(() => plan({ isEmulating: false })).toThrow(/may have stored objects that 1\.35\.4 cannot read; .*--emulate/);
  expect(plan({ isEmulating: false, to: "1.36.1", nodes: [node("worker-1", "1.36.1")] }).to).toBe("1.36.1");
});

test("an upgrade is not undone once a worker has the version", () => {
  const nodes = [node("worker-1", "1.36.3"), node("worker-2", "1.35.4")];
  expect(() => plan({ nodes })).toThrow(/worker-1 \(1\.36\.3\): the kubelet of a worker cannot be downgraded/);
});

test("there is nothing to undo where all nodes have one version", () => {
  expect(() => plan({ nodes: [node("worker-1", "1.36.3")] })).toThrow(/every control plane and worker has 1\.36\.3/);
});

test("an undo does not end a pause in which nodes have an older minor version: they would be drained", () => {
  const stage = (hold: Record<string, string>, holds = {}) =>
    undoStages({ ...plan(), additional: [], canaries: ["worker-1"], hold, holds }).at(-1);
  expect(stage({ workers: "1.35.3" })?.remove).toContain("kubernetes.hold");
  expect(stage({ workers: "1.35.4", gpu: "1.34.4" })).toMatchObject({
    remove: ["controlPlane.emulate"],
    set: { "kubernetes.version": "1.35.4" },
  });
  const own = { "kubernetes.hold.workers": "1.35.4" };
  expect(stage({ gpu: "1.34.4" }, own)?.remove).toEqual(["kubernetes.hold.workers", "controlPlane.emulate"]);
});

test("an undo removes the record of the upgrade, or leads it to the version of a pause that stays", () => {
  const stage = (hold: Record<string, string>) =>
    undoStages({ ...plan(), additional: [], holds: {}, hold, isRecorded: true })[0];
  expect(stage({ workers: "1.35.4" })?.remove).toContain("kubernetes.upgrading");
  expect(stage({ gpu: "1.34.4" })?.remove).not.toContain("kubernetes.upgrading");
  expect(stage({ gpu: "1.34.4" })?.set).toMatchObject({ "kubernetes.upgrading.to": "1.35.4" });
});

describe("an upgrade with additional machines", () => {
  const nodes = [node("cp-1", "1.36.3", "control-plane"), node("worker-1", "1.35.4"), node("worker-2", "1.36.3")];

  test("is undone once they have left, while the pools stay on their version", () => {
    const undo = plan({ nodes, additional: ["worker-2"] });
    expect(undo).toMatchObject({ to: "1.35.4", additional: ["worker-2"] });
    expect(undoPlanText(undo)).toMatch(/1\. additional worker-2, drained and removed\n {2}2\. cp-1: .*\n {2}3\. /);
    const holds = { "kubernetes.hold.workers": "1.35.4" };
    expect(undoStages({ ...undo, holds, canaries: ["worker-1"] })).toEqual([
      {
        title: "Removing worker-2",
        remove: ["kubernetes.canary", "kubernetes.additional", 'kubernetes.hold["worker-2"]'],
        set: holds,
      },
      {
        title: "Changing to 1.35.4",
        remove: ["kubernetes.hold", "kubernetes.canary", "kubernetes.canaryAfter", "controlPlane.emulate"],
        set: { "kubernetes.version": "1.35.4", "kubernetes.canary[0]": "worker-1" },
      },
    ]);
  });

  test("returns the canaries of a pause that stays, once the additional machines have left", () => {
    const undo = plan({ nodes, additional: ["worker-2"] });
    const facts = { holds: { "kubernetes.hold.workers": "1.35.4" }, canary: ["gpu-1", "worker-2"] };
    const [leaves, returns] = undoStages({ ...undo, ...facts, hold: { gpu: "1.34.4" } });
    expect(leaves?.remove).toContain("kubernetes.canary");
    expect(returns?.set).toEqual({ "kubernetes.version": "1.35.4", "kubernetes.canary[0]": "gpu-1" });
    expect(undoStages({ ...plan(), ...facts, hold: { gpu: "1.34.4" } })[0]?.set).not.toHaveProperty([
      "kubernetes.canary[0]",
    ]);
  });

  test("has one stage where there are none", () => {
    expect(undoStages({ ...plan(), holds: {} })).toHaveLength(1);
  });

  test("is not undone once another worker has the version", () => {
    const newer = [...nodes, node("worker-3", "1.36.3")];
    expect(() => plan({ nodes: newer, additional: ["worker-3"] })).toThrow(/: worker-2 \(1\.36\.3\): the kubelet/);
  });
});
