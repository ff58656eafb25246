import { expect, test } from "vitest";
import { planProblems, type ClusterPlan } from "../../../render/preflight-plan";

const plan = (more: Partial<ClusterPlan> = {}): ClusterPlan => ({
  machines: [
    { name: "boss", role: "control-plane" },
    { name: "hand", role: "worker" },
  ],
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.10.0.0/16",
  ...more,
});
const boss = (name: string) => ({ name, role: "control-plane" as const });

test("a valid plan has no problems", () => {
  expect(planProblems(plan())).toEqual([]);
});

test.each([
  [
    "an even number of etcd members",
    { machines: [boss("a"), boss("b")] },
    "machines",
    /2 control planes .* use 1 or 3/,
  ],
  ["no control plane", { machines: [] }, "machines", /no control plane/],
  [
    "a duplicate name",
    { machines: [boss("a"), { name: "a", role: "worker" as const }] },
    "machines[1].name",
    /also machines\[0\]/,
  ],
  ["an invalid name", { machines: [boss("Boss_1")] }, "machines[0].name", /not a valid node name/],
  ["an invalid range", { podCidr: "10.244.0.0" }, "podCidr", /not a CIDR/],
  ["overlapping ranges", { serviceCidr: "10.244.128.0/20" }, "serviceCidr", /overlaps/],
])("%s is refused with the property's path", (_, more, path, reason) => {
  expect(planProblems(plan(more))).toEqual([{ path, reason: expect.stringMatching(reason) as string }]);
});
