import { expect, test } from "vitest";
import { checkLoad } from "../../faults/load-check";

const minute = { perSecond: 20, seconds: 60, mayFail: false };

test("accepts half of the nominal requests without a failure", () => {
  expect(checkLoad({ total: 600, failed: 0, failures: [] }, minute)).toEqual([]);
});

test("reports too few requests: a client that sends none proves nothing", () => {
  expect(checkLoad({ total: 0, failed: 0, failures: [] }, minute)).toEqual([
    "only 0 requests were sent in 60 s, not 600",
  ]);
  expect(checkLoad({ total: 599, failed: 0, failures: [] }, minute)).toHaveLength(1);
});

test("reports failed requests with the first failure", () => {
  expect(checkLoad({ total: 900, failed: 2, failures: ["HTTP 000"] }, minute)).toEqual([
    "2 of 900 requests failed: HTTP 000",
  ]);
});

test("accepts failures and long waits after a machine with pods has stopped, but not silence", () => {
  const stopped = { ...minute, mayFail: true };
  expect(checkLoad({ total: 20, failed: 9, failures: [] }, stopped)).toEqual([]);
  expect(checkLoad({ total: 19, failed: 0, failures: [] }, stopped)).toHaveLength(1);
});
