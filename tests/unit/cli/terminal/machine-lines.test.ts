import { describe, expect, test } from "vitest";
import { machineLines, type MachineRow } from "../../../../cli/terminal/machine-lines";

const row = (machine: string, state: MachineRow["state"], text: string, time = 4_200): MachineRow => ({
  machine,
  state,
  text,
  time,
});
const ROWS = [
  row("control-plane-1", "done", "ready", 58_100),
  row("worker-1", "busy", "Node: waiting for Ready"),
  row("worker-2", "waiting", "waits for worker-1"),
];

test("one line for each machine, with what it does and for how long, below the time of the run", () => {
  expect(machineLines(ROWS, 63_200, 23)).toEqual([
    "[ 63.2 s] 1 of 3 machines done",
    "  control-plane-1   58.1 s  ready",
    "  worker-1           4.2 s  Node: waiting for Ready",
    "  worker-2           4.2 s  waits for worker-1",
  ]);
});

test("the cluster comes last, and counts as no machine", () => {
  const rows = [row("cluster", "busy", "Manifests flannel: applying"), ...ROWS];
  const lines = machineLines(rows, 0, 23);
  expect(lines[0]).toBe("[  0.0 s] 1 of 3 machines done");
  expect(lines.at(-1)).toBe("  cluster            4.2 s  Manifests flannel: applying");
  expect(machineLines(rows.slice(0, 1), 0, 23)).toEqual([
    "[  0.0 s]",
    "  cluster    4.2 s  Manifests flannel: applying",
  ]);
});

test("nothing is shown while there is nothing to do", () => {
  expect(machineLines([], 1_000, 23)).toEqual([]);
});

describe("where there is no room for all machines", () => {
  const many = [
    ...Array.from({ length: 5 }, (_, index) => row(`worker-${index + 1}`, "done", "ready")),
    row("worker-6", "failed", "FAILED: Unit kubelet"),
    row("worker-7", "waiting", "waits for worker-8"),
    ...Array.from({ length: 3 }, (_, index) => row(`worker-${index + 8}`, "busy", "Images: copying")),
  ];
  const names = (height: number) =>
    machineLines(many, 0, height).map((line) => line.replace(/^ +/, "").replace(/ {3,}.*/, ""));

  test("those at work are shown, then those that failed or wait; the others are counted", () => {
    expect(names(7)).toEqual([
      "[  0.0 s] 5 of 10 machines done",
      "worker-6",
      "worker-7",
      "worker-8",
      "worker-9",
      "worker-10",
      "and 5 more, 5 done",
    ]);
    expect(names(5).slice(1)).toEqual(["worker-8", "worker-9", "worker-10", "and 7 more, 5 done"]);
    expect(names(4).slice(1)).toEqual(["worker-8", "worker-9", "and 8 more, 5 done"]);
  });

  test.each([0, 1, 2, 3, 10, 11, 12])("a height of %i rows is not exceeded", (height) => {
    expect(names(height).length).toBe(Math.min(height, many.length + 1));
  });
});
