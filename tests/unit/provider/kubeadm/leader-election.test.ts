import { expect, test } from "vitest";
import { isElectionOff, isElectionOffIn, keepLeaderElection } from "../../../../provider/kubeadm/leader-election";
import { initDocuments } from "../../../../render/kubeadm";
import { initOptions } from "../../render/samples";

const lone = initDocuments(initOptions({ controlPlanes: 1 }));
const configurationOf = (documents: readonly object[]) =>
  documents.find((document) => "controllerManager" in document) as {
    controllerManager: { extraArgs?: { name: string; value: string }[] };
    scheduler: { extraArgs?: { name: string; value: string }[] };
  };

test("leader election of a lone control plane stays off, and that of components where it is on stays on", () => {
  expect(keepLeaderElection(lone, () => true)).toEqual(lone);
  const kept = configurationOf(keepLeaderElection(lone, (component) => component === "scheduler"));
  expect(isElectionOff(kept.scheduler)).toBe(true);
  expect(isElectionOff(kept.controllerManager)).toBe(false);
  expect(kept.controllerManager.extraArgs).toContainEqual({ name: "kube-api-qps", value: "200" });
});

test("several control planes elect leaders", () => {
  const several = configurationOf(initDocuments(initOptions({ controlPlanes: 3 })));
  expect(isElectionOff(several.controllerManager)).toBe(false);
});

test("the flag is read from a manifest", () => {
  expect(isElectionOffIn("    - kube-scheduler\n    - --leader-elect=false\n")).toBe(true);
  expect(isElectionOffIn("    - --leader-elect=true\n    - --leader-elect-lease-duration=false\n")).toBe(false);
});
