import { CLUSTER } from "../../provider/preview/step";
import type { RunSpan } from "../engine/run-timeline";
import { pluralize, shortLabel } from "../terminal/text";
import { fitText, formatDuration, textWidth } from "./format";
import type { Markup } from "./markup";
import { PICTURE_WIDTH, polyline, rectangle, textAt, type Picture } from "./picture";
import type { CriticalStep, RunReport } from "./report-data";
import { arrangeBars, LABEL_SIZE, tickLabel, ticksOf, xOf, type Bar, type Plot } from "./timeline-rows";

const MARGIN = 24;
/** Width of the column with the machines. */
const NAMES = 168;
const AXIS = 34;
const LANE_GAP = 14;
/** With more machines than this, bars are thin and have no labels. */
const MOST_LABELED = 6;

interface RowSize {
  bar: number;
  row: number;
}
const LABELED: RowSize = { bar: 18, row: 22 };
const COMPACT: RowSize = { bar: 6, row: 8 };

/** Draws what a run did on each machine, and which steps it had to wait for. */
export function timelinePicture(run: RunReport, machines: readonly string[]): Picture {
  const { timeline, criticalPath } = run;
  const plot: Plot = { left: MARGIN + NAMES, right: PICTURE_WIDTH - MARGIN, duration: timeline.duration };
  const isCritical = criticalTest(criticalPath);
  const names = [CLUSTER, ...machines, ...timeline.spans.map(({ machine }) => machine)];
  const lanes = [...new Set(names)].filter((name) => timeline.spans.some(({ machine }) => machine === name));
  const size = lanes.length > MOST_LABELED ? COMPACT : LABELED;
  const content: Markup[] = [];
  let y = MARGIN + AXIS;
  content.push(...criticalLane(criticalPath, plot, y));
  y += LABELED.row + LANE_GAP;
  for (const lane of lanes) {
    const bars = arrangeBars(
      timeline.spans.filter(({ machine }) => machine === lane),
      plot,
      size === LABELED,
    );
    const rows = Math.max(...bars.map(({ row }) => row)) + 1;
    const height = Math.max(LABELED.row, rows * size.row);
    content.push(rule(MARGIN, y - LANE_GAP / 2, plot.right), laneName(lane, y));
    const top = y + (height - rows * size.row) / 2;
    content.push(...bars.flatMap((bar) => drawBar(bar, top, size, isCritical(bar.span))));
    y += height + LANE_GAP;
  }
  return {
    width: PICTURE_WIDTH,
    height: y - LANE_GAP + MARGIN,
    title: "Timeline of the last run",
    description: describe(run, lanes.length),
    content: [...axis(plot, y - LANE_GAP), ...content],
  };
}

function describe({ timeline, criticalPath }: RunReport, lanes: number): string {
  const path = criticalPath.map(({ label }) => label).join(", ");
  return (
    `${pluralize(timeline.spans.length, "step")} in ${pluralize(lanes, "lane")}, ` +
    `${formatDuration(timeline.duration)} in total. Critical path: ${path}.`
  );
}

function criticalTest(path: readonly CriticalStep[]): (span: RunSpan) => boolean {
  const keys = new Set(path.map(({ label, start }) => `${label} ${start}`));
  return ({ label, start }) => keys.has(`${label} ${start}`);
}

function axis(plot: Plot, bottom: number): Markup[] {
  return ticksOf(plot.duration).flatMap((time) => {
    const x = xOf(plot, time);
    return [
      polyline(
        [
          [x, MARGIN + AXIS - 14],
          [x, bottom],
        ],
        "rule",
      ),
      textAt(tickLabel(time), { x, y: MARGIN + AXIS - 20, class: "label muted", anchor: "middle" }),
    ];
  });
}

function rule(left: number, y: number, right: number): Markup {
  return polyline(
    [
      [left, y],
      [right, y],
    ],
    "rule",
  );
}

function laneName(lane: string, y: number): Markup {
  const text = lane === CLUSTER ? "Cluster" : fitText(lane, NAMES - 16, 13);
  return textAt(text, { x: MARGIN, y: y + 14, class: "strong" });
}

/** The chain of steps as one row; a thin line joins two steps with a pause between them. */
function criticalLane(path: readonly CriticalStep[], plot: Plot, y: number): Markup[] {
  const last = path.at(-1);
  if (!last) return [];
  const middle = y + LABELED.bar / 2;
  // Before the first step, the engine and the program start.
  const ends = [0, last.end].map((time): [number, number] => [xOf(plot, time), middle]);
  return [
    textAt("Critical path", { x: MARGIN, y: y + 14, class: "strong accent" }),
    polyline(ends, "link main"),
    ...path.flatMap((step) => criticalSegment(step, plot, y)),
  ];
}

function criticalSegment({ label, machine, start, end }: CriticalStep, plot: Plot, y: number): Markup[] {
  const x = xOf(plot, start);
  const width = Math.max(2, xOf(plot, end) - x - 1);
  const text = shortLabel(label, machine);
  const tip = `${label}, ${formatDuration(end - start)}`;
  const fits = textWidth(text, LABEL_SIZE) + 12 <= width;
  return [
    rectangle({ x, y, width, height: LABELED.bar }, "accent", 2, tip),
    ...(fits ? [textAt(text, { x: x + 6, y: y + 13, class: "label on-accent" })] : []),
  ];
}

function drawBar({ span, x, width, row, label }: Bar, top: number, { bar, row: step }: RowSize, critical: boolean) {
  const y = top + row * step;
  const color = span.state === "done" ? (critical ? "accent" : "bar") : COLORS[span.state];
  const tip = `${span.label}: ${VERBS[span.op]}${STATES[span.state]}, ${formatDuration(span.end - span.start)}`;
  const shape = rectangle({ x, y, width, height: bar }, color, 2, tip);
  if (!label) return [shape];
  const inside = color === "interrupted" ? "" : `on-${color}`;
  const outside = `outside ${critical ? "accent" : color === "danger" ? "danger" : ""}`;
  const name = `label ${label.isInside ? inside : outside}`.trim();
  return [shape, textAt(label.text, { x: label.x, y: y + 13, class: name, anchor: label.anchor })];
}

const COLORS = { failed: "danger", interrupted: "interrupted" } as const;
const VERBS = { create: "created", update: "updated", delete: "deleted" } as const;
const STATES = { done: "", failed: " with an error", interrupted: " in part" } as const;
