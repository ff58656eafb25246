import { expect, test } from "vitest";
import { estimateDuration, estimateSurges } from "../../../../cli/nodes/upgrade-duration";

const pool = (nodes: number, maxUnavailable = 1, canaries = 0) => ({ nodes, maxUnavailable, canaries });

test("pools take their time in parallel without a soak, and one after the other with one", () => {
  const one = estimateDuration({ controlPlanes: 1, pools: [pool(4)], soak: 0 });
  expect(estimateDuration({ controlPlanes: 1, pools: [pool(4), pool(2)], soak: 0 })).toBe(one);
  expect(estimateDuration({ controlPlanes: 1, pools: [pool(4, 2)], soak: 0 })).toBe(one - 50);
  expect(estimateDuration({ controlPlanes: 1, pools: [pool(4), pool(2)], soak: 60 })).toBe(one + 50 + 3 * 60);
  expect(estimateDuration({ controlPlanes: 1, pools: [pool(4, 1, 1)], soak: 60 })).toBe(one + 3 * 60);
});

test("additional machines take time to join and to leave, once for all pools", () => {
  const leaving = estimateSurges([{ areJoined: true }]);
  expect(leaving).toBeGreaterThan(0);
  expect(estimateSurges([{ areJoined: true }, { areJoined: false }])).toBe(leaving + 25);
  expect(estimateSurges([])).toBe(0);
});
