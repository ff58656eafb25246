import { afterAll, expect, test } from "vitest";
import { allCells, selectCells } from "../faults/plan";
import { resultLine } from "../faults/report";
import { runCell } from "../faults/run-cell";
import { TestCluster } from "../faults/test-cluster";

/**
 * A sample of the cells in docs/faults.md, ordered so that each begins with the workers that the one before it leaves.
 */
const SAMPLE = [
  ["create", "binaries", "sshd-restarted"],
  ["join", "binaries", "hanging"],
  ["remove", "evict", "ctrl-c"],
  ["join", "join", "sigkill"],
  ["replace", "machine", "sigkill"],
  ["remove", "end", "stale-state"],
  ["join", "binaries", "disk-full"],
] as const;

const cluster = new TestCluster("e2e-faults");

afterAll(async () => {
  await cluster.remove();
  cluster.removeFiles();
});

test.each(SAMPLE)("%s, at %s: %s", async (operation, phase, fault) => {
  const [cell] = selectCells(allCells(), { operations: [operation], phases: [phase], faults: [fault] });
  if (!cell) throw new Error(`the fault ${fault} does not apply to ${operation}, phase ${phase}`);
  const result = await runCell(cell, cluster);
  process.stdout.write(`    e2e-faults │ ${resultLine(result)}\n`);
  expect(["healed", "resumed"], result.note).toContain(result.outcome);
});
