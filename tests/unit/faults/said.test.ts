import { expect, test } from "vitest";
import { causeIn, unclear } from "../../faults/error-clarity";

const CLEAR = `✗ Join worker-2-join: kubeadm join failed on worker-2 (10.0.0.12): timed out; mend the cause
  worker-2  FAILED
Go on with npm start`;

test("a failure that names the machine and the next command is clear", () => {
  expect(unclear(CLEAR, "worker-2")).toEqual([]);
  expect(causeIn(CLEAR)).toContain("timed out");
});

test.each([
  ["a stack trace", `${CLEAR}\n    at Object.join (/project/provider/main.js:10:3)`, "worker-2", "stack trace"],
  ["another machine only", CLEAR, "worker-7", "nothing names worker-7"],
  ["nothing to run", CLEAR.replace("npm start", "luck"), "worker-2", "what to run next"],
])("%s is not", (_what, text, target, reason) => {
  expect(unclear(text, target)).toEqual([expect.stringContaining(reason)]);
});

test("without an error the last words are the cause", () => {
  expect(causeIn("one\n\ntwo\nthree\n")).toBe("two; three");
});
