import { describe, expect, test } from "vitest";
import { describePause, ownCanaries, pauseAfter, pauseAfterCanary } from "../../../../cli/nodes/upgrade-pause";

const plan = { from: "1.35.4", chain: ["1.36.3"], pools: [] };
const pools = [
  { name: "workers", machines: ["worker-1", "worker-2", "worker-3"] },
  { name: "old", version: "1.34.4", machines: ["old-1"] },
  { name: "gpu", machines: ["gpu-1"] },
];

describe("an upgrade that pauses", () => {
  test("after the control planes holds all pools that have no version of their own", () => {
    expect(pauseAfter("control-planes", plan, pools)).toEqual({
      "kubernetes.hold.workers": "1.35.4",
      "kubernetes.hold.gpu": "1.35.4",
    });
  });

  test("after a pool holds the pools after it", () => {
    expect(pauseAfter("workers", plan, pools)).toEqual({ "kubernetes.hold.gpu": "1.35.4" });
  });

  test.each([["gpu"], ["gpu-1"]])("is refused after %s, the last one: nothing would wait", (stage) => {
    expect(() => pauseAfter(stage, plan, pools)).toThrow(
      `no node that changes is left after ${stage}, so nothing would wait; leave out --pause-after, or use an ` +
        "earlier stage, such as control-planes",
    );
  });

  test("is refused where the pools after the stage have versions of their own, or no machines", () => {
    const others = [{ ...pools[1]! }, { name: "empty", machines: [] }];
    expect(() => pauseAfter("workers", plan, [pools[0]!, ...others])).toThrow("is left after workers");
    expect(() => pauseAfter("worker-3", plan, [pools[0]!, ...others])).toThrow("is left after worker-3");
    expect(() => pauseAfter("control-planes", plan, [pools[1]!])).toThrow(
      /nothing would wait; leave out --pause-after$/,
    );
  });

  test("after the control planes holds a pool without machines too, for workers that are added", () => {
    const empty = [{ name: "workers", machines: [] }];
    expect(pauseAfter("control-planes", plan, empty)).toEqual({ "kubernetes.hold.workers": "1.35.4" });
  });

  test("after a worker upgrades the workers of its pool up to that one", () => {
    expect(pauseAfter("worker-2", plan, pools)).toEqual({
      "kubernetes.hold.workers": "1.35.4",
      "kubernetes.hold.gpu": "1.35.4",
      "kubernetes.canary[0]": "worker-1",
      "kubernetes.canary[1]": "worker-2",
    });
    expect(pauseAfter("gpu-1", plan, [...pools, { name: "web", machines: ["web-1"] }])).toEqual({
      "kubernetes.hold.gpu": "1.35.4",
      "kubernetes.hold.web": "1.35.4",
      "kubernetes.canary[0]": "gpu-1",
    });
  });

  test("after a canary upgrades that worker only", () => {
    expect(pauseAfterCanary("worker-2", plan, pools)).toEqual({
      "kubernetes.hold.workers": "1.35.4",
      "kubernetes.hold.gpu": "1.35.4",
      "kubernetes.canary[0]": "worker-2",
    });
    expect(() => pauseAfterCanary("cp-1", plan, pools)).toThrow(/no worker named cp-1.*use worker-1 or worker-2/);
  });

  test("refuses a worker whose pool has a version of its own, because --resume could not return it", () => {
    const problem =
      /old-1 is in pool old, which stays on 1\.34\.4; use a worker of another pool, or remove the version/;
    expect(() => pauseAfterCanary("old-1", plan, pools)).toThrow(problem);
    expect(() => pauseAfter("old-1", plan, pools)).toThrow(problem);
    expect(pauseAfter("old", plan, pools)).toEqual({ "kubernetes.hold.gpu": "1.35.4" });
  });

  test("holds the version that the workers have, also where the control planes have the new one already", () => {
    const again = { from: "1.36.3", chain: ["1.36.3"], pools: [{ name: "workers", nodes: [], oldest: "1.35.4" }] };
    expect(pauseAfterCanary("worker-1", again, pools)).toMatchObject({ "kubernetes.hold.workers": "1.35.4" });
  });

  test("holds each worker on its own version, because no kubelet is downgraded", () => {
    const versions = { "worker-1": "1.35.3", "worker-2": "1.35.4", "worker-3": "1.36.3", "worker-4": "" };
    const mixed = { ...plan, pools: [{ name: "workers", nodes: [], oldest: "1.35.3", versions }] };
    const held = { "kubernetes.hold.workers": "1.35.3", "kubernetes.hold.gpu": "1.35.4" };
    const others = { 'kubernetes.hold["worker-2"]': "1.35.4", 'kubernetes.hold["worker-3"]': "1.36.3" };
    expect(pauseAfter("control-planes", mixed, pools)).toEqual({ ...held, ...others });
    expect(pauseAfterCanary("worker-2", mixed, pools)).toEqual({
      ...held,
      'kubernetes.hold["worker-3"]': "1.36.3",
      "kubernetes.canary[0]": "worker-2",
    });
  });

  test("has a stage that exists", () => {
    expect(() => pauseAfter("cp", plan, pools)).toThrow("use control-planes or workers or old or gpu");
  });

  test("has one step", () => {
    const chain = ["1.35.4", "1.36.3"];
    expect(() => pauseAfter("control-planes", { from: "1.34.4", chain, pools: [] }, pools)).toThrow(
      /the upgrade has 2 steps, and a pause needs one; run `.*upgrade .*--to 1\.35\.4 --pause-after control-planes`/,
    );
  });
});

test("a paused upgrade is described with the command that continues it", () => {
  expect(describePause({}, ["workers"])).toBeUndefined();
  expect(describePause({ workers: "1.35.3", "worker-2": "1.35.4" }, ["workers"])).toMatch(
    /^the upgrade is paused: pool workers stays on 1\.35\.3, worker-2 stays on 1\.35\.4; continue with `.*--resume`$/,
  );
});

test("canaries are the user's own, unless an upgrade has set them, which then has recorded the user's", () => {
  const kubernetes = { canary: ["worker-3"], canaryAfter: [], hold: {}, additional: {} };
  expect(ownCanaries(kubernetes)).toEqual(["worker-3"]);
  expect(ownCanaries({ ...kubernetes, hold: { workers: "1.35.4" } })).toEqual([]);
  expect(ownCanaries({ ...kubernetes, additional: { workers: 1 } })).toEqual([]);
  expect(ownCanaries({ ...kubernetes, additional: { workers: 1 }, canaryAfter: ["worker-1"] })).toEqual(["worker-1"]);
});
