import { expect, test } from "vitest";
import { configuredSurges } from "../../../../cli/nodes/upgrade-surge";
import { parseConfig } from "../../../../components/config";

const environment = { kubernetesVersions: ["1.36.3", "1.35.4"], fileExists: () => true };
const surgesOf = (raw: object) => configuredSurges(parseConfig(raw, environment));

test("additional machines have the numbers after those of the pool", () => {
  expect(surgesOf({ workers: { count: 2, skip: [3], surge: 2 }, pools: { gpu: {} } })).toEqual([
    { pool: "workers", machines: ["worker-4", "worker-5"], isRecorded: false },
  ]);
});

test("those of an interrupted upgrade have priority over the setting", () => {
  const kubernetes = { version: "1.36.3", additional: { workers: 1 } };
  const one = [{ pool: "workers", machines: ["worker-3"], isRecorded: true }];
  expect(surgesOf({ kubernetes, workers: { surge: 2 } })).toEqual(one);
  expect(surgesOf({ kubernetes })).toEqual(one);
});

test("a pool that stays on a version has none", () => {
  expect(surgesOf({ workers: { surge: 1, version: "1.35.4" } })).toEqual([]);
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" }, additional: { workers: 1 } };
  expect(surgesOf({ kubernetes, workers: { surge: 1 } })).toEqual([]);
});
