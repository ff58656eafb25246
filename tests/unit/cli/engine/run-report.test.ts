import { expect, test } from "vitest";
import type { MachineProgress } from "../../../../cli/engine/run-record";
import { failureReport, interruptionReport } from "../../../../cli/engine/run-report";

const machine = (name: string, over: Partial<MachineProgress>): MachineProgress => ({
  machine: name,
  state: "done",
  detail: "",
  failures: [],
  ...over,
});

test("a failed run lists the progress of each machine, and how to continue", () => {
  const progress = [machine("a", {}), machine("b", { state: "failed", failures: ["Unit b: no space"] })];
  expect(failureReport({ stack: "lab", progress, failures: ["Unit b: no space"] }, new Error("x"))).toBe(
    "\na   done\nb   FAILED\n  ✗ Unit b: no space\n\n" +
      "`npm start -- --stack lab` continues from here: finished steps are not repeated\n",
  );
});

test("errors that belong to no machine come first, with their number", () => {
  const progress = [machine("a", {})];
  expect(failureReport({ stack: "dev", progress, failures: ["one", "two"] }, new Error("x"))).toMatch(
    /^\n2 errors:\n✗ one\n✗ two\n\na {3}done\n/,
  );
});

test("an error of several resources is printed once, with their number", () => {
  const failures = ["Host a-host: refused", "Files a-files: refused", "Unit a-kubelet: refused"];
  const printed = "✗ Host a-host: refused\n{}  2 other resources failed with the same error\n";
  expect(failureReport({ stack: "dev", progress: [], failures }, new Error("x"))).toBe(
    `\n${printed.replace("{}", "")}`,
  );
  const progress = [machine("a", { state: "failed", failures })];
  expect(failureReport({ stack: "dev", progress, failures }, new Error("x"))).toContain(
    `a   FAILED\n  ${printed.replace("{}", "  ")}\n`,
  );
});

test("a run that failed before its first step reports the error alone", () => {
  const progress = [machine("a", { state: "not started" })];
  const error = new Error("stderr: error: the passphrase is wrong");
  expect(failureReport({ stack: "dev", progress, failures: [] }, error)).toBe("\n✗ the passphrase is wrong\n");
});

test("an interrupted run says how to continue and how to delete everything", () => {
  expect(interruptionReport({ stack: "dev", progress: [], failures: [] })).toBe(
    "\nstopped; `npm start` continues from here, `npm run down` deletes everything\n",
  );
});
