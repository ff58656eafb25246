import { expect, test } from "vitest";
import { describeUndo, type UndoConditions } from "../../../../cli/nodes/undo-forecast";

const CHANGED = [{ name: "workers", nodes: ["worker-1 (1.35.4)"] }];
const WAITING = [{ name: "workers", nodes: [], waiting: ["worker-1 (1.35.4)"] }];

function undoOf(from: string, pools: typeof CHANGED, conditions: Partial<UndoConditions> = {}): string {
  const plan = { from, to: "1.36.3", chain: ["1.36.3"], pools };
  return describeUndo(plan, { isEmulating: false, isLadder: false, etcdPath: [], ...conditions });
}

test("a minor version can be undone only with an emulation, before a worker changes", () => {
  const reason = "not possible: API servers of 1.36 may store objects that older ones cannot read";
  for (const pools of [CHANGED, WAITING])
    expect(undoOf("1.35.4", pools)).toBe(
      `${reason}; with --pause-after control-planes --emulate it is possible before a worker changes`,
    );
  expect(undoOf("1.35.4", WAITING, { isLadder: true })).toBe(reason);
  expect(undoOf("1.35.4", WAITING, { isEmulating: true })).toBe(
    "`npm run upgrade -- --undo` returns the control planes to 1.35.4, until a worker has 1.36.3",
  );
});

test("a patch release can be undone until a worker has it", () => {
  expect(undoOf("1.36.1", WAITING, { isLadder: true })).toContain("returns the control planes to 1.36.1, until");
  expect(undoOf("1.36.1", CHANGED)).toBe(
    "not possible once a worker has 1.36.3, which is in this run; with --pause-after control-planes it is possible " +
      "until --resume",
  );
});

test("what is left of an upgrade, the workers, cannot be undone", () => {
  expect(undoOf("1.36.3", CHANGED)).toBe("not possible, because the kubelet of a worker cannot be downgraded");
});

test("another minor version of etcd cannot be undone, a patch release can", () => {
  const conditions = { isEmulating: true, etcdPath: ["3.5.24", "3.6.6", "3.6.8"] };
  expect(undoOf("1.35.4", WAITING, conditions)).toBe(
    "not possible once all members have etcd 3.6.8: etcd 3.5.24 cannot read the data then",
  );
  expect(undoOf("1.35.4", WAITING, { ...conditions, etcdPath: ["3.6.6", "3.6.8"] })).toContain("returns the control");
});
