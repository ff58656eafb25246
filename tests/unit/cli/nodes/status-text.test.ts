import { expect, test } from "vitest";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import { statusText } from "../../../../cli/nodes/status-text";

function status(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return { version: "1.36.3", nodes: [], certificates: [], problems: [], healthy: true, ...changes };
}

test("does not mention drift that was not read", () => {
  expect(statusText(status())).not.toContain("drift");
  expect(statusText(status())).toMatch(/healthy\n$/);
});

test("drift makes the cluster unhealthy, with the command that repairs it", () => {
  expect(statusText({ ...status(), drift: [] })).toMatch(/drift +none\nhealthy\n$/);
  const text = statusText({ ...status(), drift: ["Unit worker-1-guard", "Kernel worker-1-kernel"] });
  expect(text).toMatch(/drift +2: Unit worker-1-guard, Kernel worker-1-kernel\n/);
  expect(text).toMatch(/unhealthy: machines differ from the configuration: `npm start -- --refresh` repairs them\n$/);
});

test("lists problems of nodes first", () => {
  expect(statusText({ ...status({ problems: ["worker-1: cordoned"] }), drift: ["Node worker-1-node"] })).toContain(
    "unhealthy: worker-1: cordoned; machines differ",
  );
});
