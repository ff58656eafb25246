import { expect, test } from "vitest";
import { rowsOf } from "../../../../tools/recording/rows";

const cast = (...output: readonly (readonly [time: number, text: string])[]) => ({
  columns: 20,
  rows: 3,
  output: output.map(([time, text]) => ({ time, text })),
});

test("each row has its texts, and the times from which on it shows them", () => {
  expect(rowsOf(cast([0, "a\n"], [1, "b"], [3, "\rc\x1b[1Ax"]), 1)).toEqual([
    [
      { time: 0, text: "a" },
      { time: 3, text: "ax" },
    ],
    [
      { time: 0, text: "" },
      { time: 1, text: "b" },
      { time: 3, text: "c" },
    ],
  ]);
});

test("of several changes in an interval, the last one is shown", () => {
  expect(rowsOf(cast([2.1, "a"], [2.5, "\rb"], [3.9, "\rc"], [4, "\rd"]), 2)).toEqual([
    [
      { time: 0, text: "" },
      { time: 2, text: "c" },
      { time: 4, text: "d" },
    ],
  ]);
});

test("a change that does not last until the end of its interval is not shown", () => {
  expect(rowsOf(cast([0, "a"], [2.1, "\rb"], [2.2, "\ra"]), 1)).toEqual([[{ time: 0, text: "a" }]]);
});

test("a row that is erased shows nothing from then on", () => {
  expect(rowsOf(cast([0, "a"], [1, "\x1b[2K"], [2, "\rb"]), 1)).toEqual([
    [
      { time: 0, text: "a" },
      { time: 1, text: "" },
      { time: 2, text: "b" },
    ],
  ]);
});

test("lines that move up change the rows of the screen", () => {
  const [first] = rowsOf(cast([0, "a\nb\nc"], [1, "\nd"]), 1);
  expect(first).toEqual([
    { time: 0, text: "a" },
    { time: 1, text: "b" },
  ]);
});
