import type { RunSpan } from "../engine/run-timeline";
import { shortLabel } from "../terminal/text";
import { textWidth } from "./format";

export const LABEL_SIZE = 11;
const PADDING = 6;
const GAP = 6;
/** Bars of short steps stay visible. */
const LEAST_WIDTH = 3;

/** A bar of the timeline, with its place in a lane. */
export interface Bar {
  span: RunSpan;
  x: number;
  width: number;
  row: number;
  /** Absent where there is no room for it. */
  label?: { text: string; x: number; anchor: "start" | "end"; isInside: boolean };
}

export interface Plot {
  /** Left and right end of the time axis. */
  left: number;
  right: number;
  /** Milliseconds. */
  duration: number;
}

export function xOf({ left, right, duration }: Plot, time: number): number {
  return left + ((right - left) * Math.min(time, duration)) / Math.max(duration, 1);
}

/**
 * Arranges the steps of one machine in rows, so that neither bars nor labels overlap.
 * @param hasLabels whether there is room for labels
 */
export function arrangeBars(spans: readonly RunSpan[], plot: Plot, hasLabels: boolean): Bar[] {
  const rowEnds: number[] = [];
  return [...spans].sort(byStart).map((span) => {
    const x = xOf(plot, span.start);
    const width = Math.max(LEAST_WIDTH, xOf(plot, span.end) - x);
    const label = hasLabels ? placeLabel(shortLabel(span.label, span.machine), x, width, plot.right) : undefined;
    const [start, end] = extent(x, width, label);
    const free = rowEnds.findIndex((rowEnd) => rowEnd + (hasLabels ? GAP : 1) <= start);
    const row = free === -1 ? rowEnds.length : free;
    rowEnds[row] = end;
    return { span, x, width, row, ...(label ? { label } : {}) };
  });
}

/** Inside the bar if it fits, else to the right of it, else to the left. */
function placeLabel(text: string, x: number, width: number, right: number): Bar["label"] {
  const wide = textWidth(text, LABEL_SIZE);
  if (wide + 2 * PADDING <= width) return { text, x: x + PADDING, anchor: "start", isInside: true };
  if (x + width + GAP + wide <= right) return { text, x: x + width + GAP, anchor: "start", isInside: false };
  return { text, x: x - GAP, anchor: "end", isInside: false };
}

function extent(x: number, width: number, label: Bar["label"]): [start: number, end: number] {
  if (!label || label.isInside) return [x, x + width];
  const wide = textWidth(label.text, LABEL_SIZE);
  return label.anchor === "start" ? [x, label.x + wide] : [label.x - wide, x + width];
}

function byStart(one: RunSpan, other: RunSpan): number {
  return one.start - other.start || other.end - one.end || one.label.localeCompare(other.label);
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];
const MOST_TICKS = 10;

/** Times of the axis in milliseconds, from 0 on. */
export function ticksOf(duration: number): number[] {
  const step = (STEPS_S.find((seconds) => duration / (seconds * 1_000) <= MOST_TICKS) ?? 7_200) * 1_000;
  return Array.from({ length: Math.floor(duration / step) + 1 }, (_, index) => index * step);
}

/** `0`, `10 s`, `2 min`, `2 min 30 s` */
export function tickLabel(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return seconds === 0 ? "0" : `${seconds} s`;
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}
