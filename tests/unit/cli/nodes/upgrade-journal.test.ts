import { expect, test } from "vitest";
import { journalLines, readJournal, type JournalFacts } from "../../../../cli/nodes/upgrade-journal";
import { parseConfig } from "../../../../components/config";

const environment = { kubernetesVersions: ["1.36.3", "1.35.4", "1.34.4"], fileExists: () => true };

function facts(config: object = {}, changes: Partial<JournalFacts> = {}): JournalFacts {
  return {
    config: parseConfig({ kubernetes: { version: "1.36.3" }, ...config }, environment),
    nodes: [node("control-plane-1", "1.36.3"), node("worker-1", "1.36.3"), node("worker-2", "1.35.4")],
    apiServers: [{ node: "control-plane-1", version: "1.36.3" }],
    changed: new Map([["worker-1", "2026-11-26T18:30:00Z"]]),
    isUnfinished: false,
    ...changes,
  };
}

function node(name: string, version: string): JournalFacts["nodes"][number] {
  const [pool, roles] = name.startsWith("worker") ? ["workers", []] : ["control-plane", ["control-plane"]];
  return { name, version, pool, roles } as never;
}

test("an upgrade that is held shows what is done, what waits and why", () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" }, canary: ["worker-1"] };
  const journal = readJournal(facts({ kubernetes, controlPlane: { emulate: "previous" } }))!;
  expect(journalLines(journal)).toEqual([
    "upgrade       1.35.4 -> 1.36.3: 2 of 3 nodes done; the control planes emulate 1.35; continue with " +
      "`npm run upgrade -- --resume`",
    "  done    control-plane-1   1.36.3",
    "  done    worker-1          1.36.3   2026-11-26T18:30:00Z",
    "  waits   worker-2          1.35.4   pool workers stays on 1.35.4 (kubernetes.hold)",
  ]);
});

test("a worker that is held by its name shows its own version", () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.3", "worker-1": "1.36.3", "worker-2": "1.35.4" } };
  const journal = readJournal(facts({ kubernetes }))!;
  expect(journal.done.map(({ node: name }) => name)).toEqual(["control-plane-1", "worker-1"]);
  expect(journal.waiting).toEqual([
    { node: "worker-2", version: "1.35.4", reason: "it stays on 1.35.4 (kubernetes.hold)" },
  ]);
});

test("an upgrade that failed continues with the same command", () => {
  const [first = ""] = journalLines(readJournal(facts({}, { isUnfinished: true }))!);
  expect(first).toMatch(/2 of 3 nodes done; continue with `npm run upgrade -- --to 1\.36\.3`/);
  expect(readJournal(facts({}, { isUnfinished: true }))?.waiting[0]?.reason).toMatch(/^the last run failed/);
  expect(readJournal(facts())?.waiting[0]?.reason).toBe("no run has begun");
});

test("a control plane whose API server is older waits, whatever its kubelet reports", () => {
  const nodes = [node("control-plane-1", "1.36.3")];
  const journal = readJournal(facts({}, { nodes, apiServers: [{ node: "control-plane-1", version: "1.35.4" }] }));
  expect(journal?.from).toBe("1.35.4");
  expect(journal?.waiting[0]?.reason).toMatch(/its API server has not changed/);
});

test("no upgrade is under way where each node has its version, also a pool of its own", () => {
  const nodes = [node("control-plane-1", "1.36.3"), { ...node("old-1", "1.34.4"), pool: "old" }];
  expect(readJournal(facts({ pools: { old: { version: "1.34.4" } } }, { nodes }))).toBeUndefined();
});

test("additional machines are part of an upgrade until they have left", () => {
  const kubernetes = { version: "1.36.3", additional: { workers: 1 } };
  const nodes = ["control-plane-1", "worker-1", "worker-2", "worker-3"].map((name) => node(name, "1.36.3"));
  expect(journalLines(readJournal(facts({ kubernetes }, { nodes }))!)).toEqual([
    "upgrade       1.36.3 -> 1.36.3: 3 of 3 nodes done; continue with `npm run upgrade -- --resume`",
    "  done    control-plane-1   1.36.3",
    "  done    worker-1          1.36.3   2026-11-26T18:30:00Z",
    "  done    worker-2          1.36.3",
    "  extra   worker-3          1.36.3   leaves at the end (kubernetes.additional)",
  ]);
  const missing = readJournal(facts({ kubernetes }, { nodes: nodes.slice(0, 3) }));
  expect(missing?.additional).toEqual([{ node: "worker-3", version: "not joined" }]);
});

test("a worker that the configuration does not have is not part of the upgrade", () => {
  const nodes = ["control-plane-1", "worker-1", "worker-2"].map((name) => node(name, "1.36.3"));
  expect(readJournal(facts({}, { nodes: [...nodes, node("worker-3", "1.35.4")] }))).toBeUndefined();
});

test("a chain of minor versions shows its target and the step that it has reached", () => {
  const kubernetes = { version: "1.35.4", upgrading: { before: "1.34.4", to: "1.36.3" } };
  const versions = ["1.35.4", "1.35.4", "1.34.4"];
  const nodes = ["control-plane-1", "worker-1", "worker-2"].map((name, index) => node(name, versions[index]!));
  const apiServers = [{ node: "control-plane-1", version: "1.35.4" }];
  const headOf = (changes: Partial<JournalFacts>, raw: object = { kubernetes }) =>
    journalLines(readJournal(facts(raw, { apiServers, nodes, ...changes }))!)[0];
  expect(headOf({})).toBe(
    "upgrade       1.34.4 -> 1.36.3, at 1.35.4: 2 of 3 nodes done; continue with `npm run upgrade -- --resume`",
  );
  // Between two steps.
  const between = nodes.map((one) => ({ ...one, version: "1.35.4" }));
  expect(headOf({ nodes: between })).toContain("1.34.4 -> 1.36.3, at 1.35.4: 3 of 3 nodes done; ");
  // The pause of a pool stays, so the same command continues.
  const paused = { kubernetes: { ...kubernetes, hold: { gpu: "1.34.4" } }, pools: { gpu: {} } };
  expect(headOf({}, paused)).toContain("continue with `npm run upgrade -- --to 1.36.3`");
});

test("the record of an upgrade that the cluster has left behind is not shown", () => {
  const kubernetes = { version: "1.36.3", upgrading: { before: "1.34.4", to: "1.35.4" } };
  const nodes = [node("control-plane-1", "1.36.3")];
  expect(readJournal(facts({ kubernetes }, { nodes }))).toBeUndefined();
});

test("a pause after which every node has the version shows the held pool, and the command that ends it", () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4", old: "1.34.4" }, canary: ["worker-1"] };
  const pools = { old: { version: "1.34.4" } };
  const nodes = ["control-plane-1", "worker-1"].map((name) => node(name, "1.36.3"));
  const journal = readJournal(facts({ kubernetes, pools }, { nodes }));
  expect(journal?.paused).toEqual(["pool workers stays on 1.35.4"]);
  expect(journalLines(journal!)[0]).toBe(
    "upgrade       1.35.4 -> 1.36.3: 2 of 2 nodes done; paused: pool workers stays on 1.35.4; end the pause with " +
      "`npm run upgrade -- --resume`",
  );
});
