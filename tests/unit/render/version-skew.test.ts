import { expect, test } from "vitest";
import {
  findControlPlaneProblem,
  findKubeletSkew,
  findUpgradeProblem,
  isSameMinor,
  planChain,
} from "../../../render/version-skew";

const SUPPORTED = ["1.36.3", "1.35.4", "1.35.2", "1.34.4"];

test.each([
  ["1.35.4", "1.35.4"],
  ["1.35.2", "1.35.4"],
  ["1.35.4", "1.36.0"],
])("a cluster can go from %s to %s", (from, to) => {
  expect(findUpgradeProblem(from, to)).toBeUndefined();
});

test.each<[string, string, RegExp, RegExp]>([
  ["1.36.3", "1.35.4", /cannot be downgraded from 1\.36\.3 to 1\.35\.4/, /set it back to 1\.36\.3/],
  ["1.36.3", "1.36.2", /cannot be downgraded/, /set it back to 1\.36\.3/],
  ["1.34.4", "1.36.3", /cannot skip a minor version, and 1\.36\.3 is 2 minor versions newer/, /version 1\.35 first/],
  ["1.36.3", "2.0.0", /cannot skip a minor version/, /npm run upgrade -- --to 2\.0\.0/],
])("a cluster cannot go from %s to %s in one step", (from, to, reason, action) => {
  const problem = findUpgradeProblem(from, to);
  expect(problem?.reason).toMatch(reason);
  expect(problem?.action).toMatch(action);
});

test("a control plane returns to a patch release, or to the minor version that it emulates", () => {
  expect(findControlPlaneProblem("1.36.3", "1.36.1")).toBeUndefined();
  expect(findControlPlaneProblem("1.36.3", "1.35.4", "1.35")).toBeUndefined();
  expect(findControlPlaneProblem("1.36.3", "1.35.4")?.reason).toMatch(/cannot be downgraded/);
  expect(findControlPlaneProblem("1.36.3", "1.34.4", "1.35")?.reason).toMatch(/cannot be downgraded/);
  expect(findControlPlaneProblem("1.34.4", "1.36.3", "1.36")?.reason).toMatch(/cannot skip/);
});

test("a kubelet may be up to three minor versions older than the API server, and never newer", () => {
  expect(findKubeletSkew("1.36.3", "1.36.3")).toBeUndefined();
  expect(findKubeletSkew("1.33.0", "1.36.3")).toBeUndefined();
  expect(findKubeletSkew("1.32.9", "1.36.3")).toEqual({
    reason: "kubelet 1.32.9 is 4 minor versions older than the control plane 1.36.3",
    action: "use 1.33 or newer",
  });
  expect(findKubeletSkew("1.36.4", "1.36.3")?.reason).toBe("kubelet 1.36.4 is newer than the control plane 1.36.3");
});

test("the chain of an upgrade has the newest release of each minor version in between", () => {
  expect(planChain("1.36.3", "1.36.3", SUPPORTED)).toEqual([]);
  expect(planChain("1.35.2", "1.35.4", SUPPORTED)).toEqual(["1.35.4"]);
  expect(planChain("1.35.4", "1.36.3", SUPPORTED)).toEqual(["1.36.3"]);
  expect(planChain("1.34.4", "1.36.3", SUPPORTED)).toEqual(["1.35.4", "1.36.3"]);
  expect(planChain("1.34.9", "1.36.9", SUPPORTED)).toEqual(["1.35.4", "1.36.9"]);
});

test("there is no chain to an older version, or through a minor version without a supported release", () => {
  expect(() => planChain("1.36.3", "1.34.4", SUPPORTED)).toThrow("cannot be downgraded from 1.36.3 to 1.34.4");
  expect(() => planChain("1.33.1", "1.36.3", ["1.36.3", "1.34.4"])).toThrow("no release of Kubernetes 1.35");
});

test("patch releases have the same minor version", () => {
  expect(isSameMinor("1.36.3", "1.36.0")).toBe(true);
  expect(isSameMinor("1.36.3", "1.35.3")).toBe(false);
});
