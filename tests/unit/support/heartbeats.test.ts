import { expect, test } from "vitest";
import { findGaps, findOverlaps } from "../../support/heartbeats";

const life = (node: string, first: number, last: number) => ({ node, pod: `${node}-${first}`, first, last, beats: 9 });

test("pods that write one after the other do not overlap", () => {
  const lives = [life("a", 10, 20), life("b", 20, 30), life("a", 32.5, 40)];
  expect(findOverlaps(lives)).toEqual([]);
  expect(findGaps(lives)).toEqual([0, 2.5]);
});

test("a pod that begins before an earlier one has ended overlaps, also with another one between them", () => {
  expect(findOverlaps([life("a", 10, 35), life("b", 20, 30), life("c", 31, 40)])).toEqual([
    "b wrote from 20 s on, and a until 35 s",
    "c wrote from 31 s on, and a until 35 s",
  ]);
});
