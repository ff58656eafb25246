import { expect, test, vi } from "vitest";
import { startDeadline } from "../../../common/timer";

test("a deadline that is longer than a timer can wait does not fire", () => {
  vi.useFakeTimers();
  const fired: number[] = [];
  for (const seconds of [1, 20 * 86_400, 30 * 86_400]) startDeadline(seconds, () => fired.push(seconds));
  vi.advanceTimersByTime(40 * 86_400_000);
  vi.useRealTimers();
  expect(fired).toEqual([1, 20 * 86_400]);
});
