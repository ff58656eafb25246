import { expect, test } from "vitest";
import { HOUR_MS, describeDuration } from "../../../common/duration";

test.each([
  [0, "0 minutes"],
  [59_000, "0 minutes"],
  [60_000, "1 minute"],
  [1.5 * HOUR_MS, "1 hour"],
  [47 * HOUR_MS, "47 hours"],
  [48 * HOUR_MS, "2 days"],
])("%d ms are %s", (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});
