import { expect, test } from "vitest";
import { changesByKind, restorePlanText } from "../../../../cli/backup/restore-plan";
import type { BackupFacts } from "../../../../provider/backup/facts";

const content = { revision: 100, hash: 7, compactRevision: 50, keys: { configmaps: 3, secrets: 2 } };
const facts: BackupFacts = {
  stack: "dev",
  time: "2026-11-26T12:00:00.000Z",
  node: "control-plane-1",
  kubernetes: "1.36.3",
  caHash: "ab",
  nodes: ["control-plane-1", "worker-1"],
  content,
};
const NOW = Date.parse("2026-11-26T12:45:00.000Z");

test("keys are grouped by kind, with and without a group, and volatile kinds are left out", () => {
  const changes = changesByKind([
    { change: "created", key: "/registry/apps.example.com/widgets/default/one" },
    { change: "deleted", key: "/registry/configmaps/default/gone" },
    { change: "changed", key: "/registry/services/specs/default/web" },
    { change: "created", key: "/registry/namespaces/blue" },
    { change: "created", key: "/registry/events/default/x" },
    { change: "changed", key: "/registry/leases/kube-system/kube-scheduler" },
  ]);
  expect(changes).toEqual([
    { kind: "apps.example.com/widgets", created: ["default/one"], changed: [], deleted: [] },
    { kind: "configmaps", created: [], changed: [], deleted: ["default/gone"] },
    { kind: "namespaces", created: ["blue"], changed: [], deleted: [] },
    { kind: "services/specs", created: [], changed: ["default/web"], deleted: [] },
  ]);
});

test("the plan says what is lost and what comes back", () => {
  const text = restorePlanText(
    {
      id: "1a2b3c4d",
      facts,
      changes: [
        ...[1, 2, 3, 4, 5, 6, 7].map((n) => ({ change: "created" as const, key: `/registry/secrets/default/s${n}` })),
        { change: "deleted", key: "/registry/configmaps/default/gone" },
      ],
      left: ["worker-9"],
      joined: ["worker-2"],
      unknown: ["mine"],
      kubernetes: "1.36.4",
    },
    NOW,
  );
  expect(text).toContain(
    "Restore backup 1a2b3c4d of 2026-11-26T12:00:00.000Z, 45 minutes old, taken on control-plane-1",
  );
  expect(text).toMatch(/secrets +7 +- +-\n/);
  expect(text).toContain("configmaps that come back: default/gone\n");
  expect(text).toContain(
    "secrets that disappear: default/s1, default/s2, default/s3, default/s4, default/s5 and 2 others",
  );
  expect(text).toContain("Nodes that have left since: worker-9. They are deleted again.");
  expect(text).toContain("Nodes that have joined since: worker-2. They stay.");
  expect(text).toContain("Nodes that are no machines of this stack: mine. They come back.");
  expect(text).toContain("The backup is from Kubernetes 1.36.3, the API servers have 1.36.4");
});

test("a plan names that etcd did not answer", () => {
  const text = restorePlanText({ id: "x", facts, left: [], joined: [], unknown: [] }, NOW);
  expect(text).toContain("etcd does not answer, so what will be lost is not known.");
  expect(text).not.toContain("Nodes that");
});
