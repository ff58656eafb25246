import { expect, test } from "vitest";
import { silent } from "../../../common/progress";
import { prepareEngine } from "../../../cli/engine/workspace";
import { scaleRound } from "../../bench/scale/round";

/** `npm run bench:scale` with thirty machines. Checks the counts, not the durations. */
test("thirty emulated machines, one of which refuses the first connections", async () => {
  const env = await prepareEngine(silent, new AbortController().signal);
  const result = await scaleRound(30, env, (text) => process.stdout.write(`    scale │ ${text}\n`));
  expect(result).toMatchObject({ failing: 1, made: result.possible, left: 0, mostOpenOfOne: 1 });
  // One connection for each of the three runs; the refusing machine needs one more.
  expect(result.connectionsPerMachine).toBeLessThan(3);
  // One round trip reads all resources of a machine, except for a few late ones.
  expect(result.roundTrips.refresh).toBeLessThan(2);
}, 300_000);
