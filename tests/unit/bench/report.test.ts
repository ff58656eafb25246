import { expect, test } from "vitest";
import type { Measured } from "../../bench/measure";
import { render, renderNodes } from "../../bench/report";

const measured = (seconds: number): Measured => {
  const init = { node: "control-plane-1", step: "init", start: 0, end: seconds };
  return { seconds, steps: [init], critical: [init] };
};
const results = {
  machines: "1 control plane and 2 workers",
  aim: 1.25,
  ours: [measured(20)],
  shell: [measured(16)],
  noOps: [{ seconds: 2, connections: 0, engineShare: 0.5 }],
};
const quiet = [{ load: 0.3, cores: 2 }];
const busy = [...quiet, { load: 3.2, cores: 2 }];

test("a quiet machine gives a verdict, with its load and both critical paths", () => {
  const text = render({ ...results, loads: quiet });
  expect(text).toContain("ratio             1.25     (aim: at most 1.25)");
  expect(text).toContain("Load before each measurement, on 2 cores: 0.3");
  expect(text).toContain("critical path: control-plane-1 init 20.0");
  expect(text).toContain("critical path: control-plane-1 init 16.0");
});

test("a busy machine gives the times, but no verdict", () => {
  const text = render({ ...results, loads: busy });
  expect(text).toContain("  no verdict: the machine was busy (load 3.2 on 2 cores; ");
  expect(text).toContain("shell script      16.0 s");
  expect(text).not.toContain("ratio");
});

test("each comparison has its machines and its aim", () => {
  const text = render({ ...results, machines: "3 control planes and 2 workers", aim: 1, loads: quiet });
  expect(text).toContain("3 control planes and 2 workers (median)");
  expect(text).toContain("ratio             1.25     (aim: at most 1.00)");
});

test("a round of the script that failed is reported beside the others", () => {
  expect(render({ ...results, without: "ha.sh failed", loads: quiet })).toContain("script failed: ha.sh failed");
});

test("there is no ratio without the script", () => {
  const text = render({ ...results, shell: [], without: "its folder does not exist", loads: quiet });
  expect(text).toContain("its folder does not exist");
  expect(text).not.toContain("ratio");
});

test("node operations on a busy machine have no ratio", () => {
  const times = (seconds: number) => ({ join: [seconds], drain: [seconds], replace: [seconds] });
  const nodes = { ours: times(5), hand: times(4) };
  expect(renderNodes({ ...nodes, loads: quiet })).toContain("  join          5.0 s      4.0 s     1.25   (5.0; 4.0)");
  const text = renderNodes({ ...nodes, loads: busy });
  expect(text).toContain("  join          5.0 s      4.0 s        -   (5.0; 4.0)");
  expect(text).toContain("  no verdict: the machine was busy");
});
