import { expect, test } from "vitest";
import type { CertificateStatus } from "../../../../cli/nodes/certificate-status";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import { statusText } from "../../../../cli/nodes/status-text";

function status(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return { version: "1.36.3", nodes: [], certificates: [], problems: [], warnings: [], healthy: true, ...changes };
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

const certificate = (node: string, name: string, daysLeft: number, state: CertificateStatus["state"] = "valid") => ({
  node,
  machine: `${node} (10.0.0.1)`,
  name,
  kind: "leaf" as const,
  end: new Date(Date.UTC(2027, 0, 1) + daysLeft * 86_400_000),
  daysLeft,
  state,
});

test("shows the certificate that expires first, and all of them on request", () => {
  const certificates = [
    certificate("worker-10", "kubelet client", 300),
    certificate("worker-2", "kubelet client", 200),
    certificate("control-plane-1", "apiserver", -1, "expired"),
  ];
  const line = "certificates  3; apiserver on control-plane-1 (10.0.0.1) expires first, on 2026-12-31 (expired)\n";
  expect(statusText(status({ certificates }))).toContain(line);
  expect(statusText(status({ certificates }))).not.toContain("DAYS LEFT");
  const table = statusText(status({ certificates }), { certificates: true });
  expect(table).toContain("NODE              CERTIFICATE      KIND   EXPIRES      DAYS LEFT   STATE\n");
  expect(table).toMatch(
    /control-plane-1 +apiserver .* expired\nworker-2 +kubelet client .* valid\nworker-10 +kubelet client/,
  );
});

test("a warning leaves the cluster healthy", () => {
  const text = statusText(status({ warnings: ["cp-1: certificate apiserver ends in 20 days"] }));
  expect(text).toMatch(/warning: cp-1: certificate apiserver ends in 20 days\nhealthy\n$/);
});
