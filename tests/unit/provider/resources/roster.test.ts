import { expect, test } from "vitest";
import { rosterResource } from "../../../../provider/resources/roster";
import { silentContext } from "../../../support/context";

const since = { "cp-1": "run-1", "worker-1": "run-1" };
const recorded = { inputs: { members: Object.keys(since), run: "run-1" }, outputs: { since } };

test("every machine of the first run became a member in it", async () => {
  const { outputs } = await rosterResource.create(silentContext, recorded.inputs);
  expect(outputs).toEqual({ since });
});

test("members keep their run, new machines get the current one, and removed machines are forgotten", async () => {
  const inputs = { members: ["cp-1", "worker-2"], run: "run-2" };
  const expected = { since: { "cp-1": "run-1", "worker-2": "run-2" } };
  expect(await rosterResource.update!(silentContext, "roster", inputs, recorded)).toEqual(expected);
  expect(await rosterResource.predict!(inputs, recorded)).toEqual(expected);
});

test("a machine that was removed and added again is new", async () => {
  const without = { inputs: { members: ["cp-1"], run: "run-2" }, outputs: { since: { "cp-1": "run-1" } } };
  const inputs = { members: ["cp-1", "worker-1"], run: "run-3" };
  expect(await rosterResource.update!(silentContext, "roster", inputs, without)).toEqual({
    since: { "cp-1": "run-1", "worker-1": "run-3" },
  });
});
