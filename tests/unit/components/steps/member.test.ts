import { expect, test } from "vitest";
import { ClusterMember, type ClusterPlan } from "../../../../components/steps/member";

const plan = { version: "1.36.3", soak: 60 } as ClusterPlan;
const machines = ["worker-1", "worker-2", "worker-3"].map((name) => ({ name, host: "10.0.0.1" }));

/** Versions and soaks of a pool's workers. */
function workers(canaries?: readonly string[], version?: string): [string, number][] {
  const pool = { name: "workers", machines, ...(canaries ? { canaries } : {}), ...(version ? { version } : {}) };
  return machines
    .map((machine) => new ClusterMember(plan, machine, "worker", pool))
    .map((member) => [member.kubeletVersion, member.soak]);
}

test("the cluster must stay healthy after a control plane, a canary, and the last other node of a pool", () => {
  expect(new ClusterMember(plan, machines[0]!, "control-plane").soak).toBe(60);
  expect(workers().map(([, soak]) => soak)).toEqual([0, 0, 60]);
  expect(workers(["worker-1"]).map(([, soak]) => soak)).toEqual([60, 0, 60]);
  expect(workers(["worker-3"]).map(([, soak]) => soak)).toEqual([0, 60, 60]);
});

test("a canary has the version of the cluster, the others that of the pool", () => {
  expect(workers(["worker-2"], "1.35.4").map(([version]) => version)).toEqual(["1.35.4", "1.36.3", "1.35.4"]);
  expect(workers(["worker-2"]).map(([version]) => version)).toEqual(["1.36.3", "1.36.3", "1.36.3"]);
});

test("a worker with a version of its own has that one, unless it is a canary", () => {
  const versions = { "worker-1": "1.35.6", "worker-2": "1.35.6" };
  const pool = { name: "workers", machines, version: "1.35.4", versions, canaries: ["worker-2"] };
  const members = machines.map((machine) => new ClusterMember(plan, machine, "worker", pool));
  expect(members.map(({ kubeletVersion }) => kubeletVersion)).toEqual(["1.35.6", "1.36.3", "1.35.4"]);
});
