import { describe, expect, test } from "vitest";
import { describePause, pauseAfter } from "../../../../cli/nodes/upgrade-pause";

const plan = { from: "1.35.4", chain: ["1.36.3"] };
const pools = [{ name: "workers" }, { name: "old", version: "1.34.4" }, { name: "gpu" }];

describe("an upgrade that pauses", () => {
  test("after the control planes holds all pools that have no version of their own", () => {
    expect(pauseAfter("control-planes", plan, pools)).toEqual({
      "kubernetes.hold.workers": "1.35.4",
      "kubernetes.hold.gpu": "1.35.4",
    });
  });

  test("after a pool holds the pools after it", () => {
    expect(pauseAfter("workers", plan, pools)).toEqual({ "kubernetes.hold.gpu": "1.35.4" });
    expect(pauseAfter("gpu", plan, pools)).toEqual({});
  });

  test("has a stage that exists", () => {
    expect(() => pauseAfter("cp", plan, pools)).toThrow("use control-planes or workers or old or gpu");
  });

  test("has one step", () => {
    const chain = ["1.35.4", "1.36.3"];
    expect(() => pauseAfter("control-planes", { from: "1.34.4", chain }, pools)).toThrow(
      /the upgrade has 2 steps, and a pause needs one; run `.*upgrade .*--to 1\.35\.4 --pause-after control-planes`/,
    );
  });
});

test("a paused upgrade is described with the command that continues it", () => {
  expect(describePause({})).toBeUndefined();
  expect(describePause({ workers: "1.35.4" })).toMatch(
    /^the upgrade is paused: pool workers stays on 1\.35\.4; continue with `.*upgrade .*--resume`$/,
  );
});
