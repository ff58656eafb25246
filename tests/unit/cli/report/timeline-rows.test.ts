import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RunSpan } from "../../../../cli/engine/run-timeline";
import { textWidth } from "../../../../cli/report/format";
import { arrangeBars, LABEL_SIZE, tickLabel, ticksOf, type Bar } from "../../../../cli/report/timeline-rows";

const plot = { left: 200, right: 1_000, duration: 60_000 };
const spanOf = (name: string, start: number, length: number): RunSpan => ({
  ...{ urn: name, label: `Unit worker-1-${name}`, machine: "worker-1", op: "create", state: "done" },
  ...{ start, end: start + length },
});

/** Left and right end of a bar with its label. */
function extentOf({ x, width, label }: Bar): [number, number] {
  if (!label || label.isInside) return [x, x + width];
  const wide = textWidth(label.text, LABEL_SIZE);
  return label.anchor === "start" ? [x, label.x + wide] : [label.x - wide, x + width];
}

test("neither bars nor labels overlap, for any steps", () => {
  const times = fc.array(fc.tuple(fc.nat(60_000), fc.nat(30_000), fc.nat(30)), { maxLength: 40 });
  fc.assert(
    fc.property(times, fc.boolean(), (all, hasLabels) => {
      const spans = all.map(([start, length, letters], index) =>
        spanOf(`${"x".repeat(letters)}${index}`, start, length),
      );
      const bars = arrangeBars(spans, plot, hasLabels);
      for (const one of bars)
        for (const other of bars) {
          if (one === other || one.row !== other.row) continue;
          const [[left, right], [otherLeft, otherRight]] = [extentOf(one), extentOf(other)];
          expect(right <= otherLeft || otherRight <= left).toBe(true);
        }
    }),
  );
});

test("a label is inside a long bar, to the right of a short one, and to the left at the end of the axis", () => {
  const bars = arrangeBars([spanOf("a", 0, 30_000), spanOf("b", 31_000, 500), spanOf("c", 59_500, 500)], plot, true);
  expect(bars.map(({ label }) => [label?.text, label?.isInside, label?.anchor])).toEqual([
    ["Unit a", true, "start"],
    ["Unit b", false, "start"],
    ["Unit c", false, "end"],
  ]);
});

test("the axis has at most eleven times, at round distances", () => {
  expect(ticksOf(31_000).map(tickLabel)).toEqual(["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s"]);
  expect(
    ticksOf(9 * 60_000)
      .map(tickLabel)
      .slice(0, 3),
  ).toEqual(["0", "1 min", "2 min"]);
  expect(
    ticksOf(40 * 60_000)
      .map(tickLabel)
      .slice(0, 2),
  ).toEqual(["0", "5 min"]);
  for (const duration of [1, 999, 10_001, 3 * 3_600_000, 48 * 3_600_000])
    expect(ticksOf(duration).length).toBeLessThanOrEqual(25);
});
