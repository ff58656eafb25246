import { expect, test } from "vitest";
import { planUndo, undoPlanText, type UndoFacts } from "../../../../cli/nodes/upgrade-undo";

function node(name: string, version: string, role?: string): UndoFacts["nodes"][number] {
  return { name, version, roles: role ? [role] : [] } as never;
}

function plan(changes: Partial<UndoFacts> = {}) {
  const nodes = [node("cp-1", "1.36.3", "control-plane"), node("worker-1", "1.35.4")];
  return planUndo({ apiServers: ["1.36.3"], nodes, isEmulating: true, ...changes });
}

test("control planes return to the version of the workers", () => {
  expect(plan()).toEqual({ from: "1.36.3", to: "1.35.4", controlPlanes: ["cp-1"] });
  expect(undoPlanText(plan())).toContain("Undo: 1.36.3 -> 1.35.4\n");
});

test("also where an upgrade ended between the control planes", () => {
  const nodes = [node("cp-1", "1.35.4", "control-plane"), node("cp-2", "1.35.4", "control-plane")];
  expect(plan({ nodes, apiServers: ["1.35.4", "1.36.3"] })).toMatchObject({ from: "1.36.3", to: "1.35.4" });
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
