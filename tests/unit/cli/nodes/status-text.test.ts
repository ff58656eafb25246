import { expect, test } from "vitest";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import { statusText } from "../../../../cli/nodes/status-text";

function status(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return { version: "1.36.3", nodes: [], certificates: [], problems: [], healthy: true, ...changes };
}

test("without a look at drift nothing is said about it", () => {
  expect(statusText(status())).not.toContain("drift");
  expect(statusText(status())).toMatch(/healthy\n$/);
});

test("no drift is healthy, any drift is not, and it is said how to mend it", () => {
  expect(statusText({ ...status(), drift: [] })).toMatch(/drift +none\nhealthy\n$/);
  const text = statusText({ ...status(), drift: ["Unit worker-1-guard", "Kernel worker-1-kernel"] });
  expect(text).toMatch(/drift +2: Unit worker-1-guard, Kernel worker-1-kernel\n/);
  expect(text).toMatch(/not healthy: machines are not as configured: `npm start -- --refresh` mends them\n$/);
});

test("what is wrong with nodes comes first", () => {
  expect(statusText({ ...status({ problems: ["worker-1: cordoned"] }), drift: ["Node worker-1-node"] })).toContain(
    "not healthy: worker-1: cordoned; machines are not",
  );
});
