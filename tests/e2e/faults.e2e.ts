import { afterAll, expect, test } from "vitest";
import { Ground } from "../faults/test-cluster";
import { allCells, chosen } from "../faults/plan";
import { resultLine } from "../faults/report";
import { runCell } from "../faults/run-cell";

/** A sample of the matrix that docs/faults.md shows whole, in an order in which each cell begins on what the one before it leaves. */
const SAMPLE = [
  ["create", "binaries", "sshd-restarted"],
  ["join", "binaries", "hanging"],
  ["remove", "evict", "ctrl-c"],
  ["join", "join", "sigkill"],
  ["replace", "machine", "sigkill"],
  ["remove", "end", "stale-state"],
  ["join", "binaries", "disk-full"],
] as const;

const ground = new Ground("e2e-faults");

afterAll(async () => {
  await ground.remove();
  ground.forget();
});

test.each(SAMPLE)("%s, at %s: %s", async (operation, phase, fault) => {
  const [cell] = chosen(allCells(), { operations: [operation], phases: [phase], faults: [fault] });
  if (!cell) throw new Error("there is no such cell");
  const result = await runCell(cell, ground);
  process.stdout.write(`    e2e-faults │ ${resultLine(result)}\n`);
  expect(["healed", "resumed"], result.note).toContain(result.outcome);
});
