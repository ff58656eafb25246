import { describe, expect, test } from "vitest";
import { silent } from "../../../common/progress";
import { busyReason, loadLine, LoadWatch, type MachineLoad } from "../../bench/load";

const on2 = (load: number): MachineLoad => ({ load, cores: 2 });

describe("the verdict", () => {
  test("is refused when the machine was busy before one of the measurements", () => {
    expect(busyReason([on2(0.4), on2(3.2), on2(1.4)])).toBe(
      "no verdict: the machine was busy (load 3.2 on 2 cores; a quiet machine has at most 1.0)",
    );
  });

  test("is given at a load of half of the processors, and without measurements", () => {
    expect(busyReason([on2(1), on2(0)])).toBeUndefined();
    expect(busyReason([])).toBeUndefined();
  });

  test("counts the load for each processor", () => {
    expect(busyReason([{ load: 3.2, cores: 8 }])).toBeUndefined();
  });
});

test("a report has the load before each measurement", () => {
  expect(loadLine([on2(0.44), on2(3.2)])).toBe("Load before each measurement, on 2 cores: 0.4, 3.2");
});

describe("before a measurement", () => {
  const watching = (readings: number[], patience = 60_000, signal = new AbortController().signal) =>
    new LoadWatch(silent, signal, { read: () => on2(readings.shift() ?? 9), patience, every: 1 });

  test("a busy machine is given time to become quiet", async () => {
    const watch = watching([4, 3, 2, 0.9, 0.8]);
    await watch.beforeMeasurement();
    expect(watch.loads).toEqual([on2(0.8)]);
  });

  test("the wait ends, and later measurements do not wait", async () => {
    const readings = [4, 4, 4, 5];
    const watch = watching(readings, 0);
    await watch.beforeMeasurement();
    expect(watch.loads).toEqual([on2(4)]);
    readings.unshift(6);
    await watch.beforeMeasurement();
    expect(watch.loads).toEqual([on2(4), on2(6)]);
    expect(readings).toEqual([5]);
  });

  test("an interruption ends the wait", async () => {
    const interrupt = new AbortController();
    const wait = watching([], 60_000, interrupt.signal).beforeMeasurement();
    interrupt.abort(new Error("interrupted"));
    await expect(wait).rejects.toThrow("interrupted");
  });
});
