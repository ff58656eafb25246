import { expect, test } from "vitest";
import { silent } from "../../common/progress";
import { prepareEngine } from "../../cli/engine/workspace";
import { scaleRound } from "../bench/scale/round";

/** What `npm run bench:scale` measures with a thousand machines is right with thirty; how long it takes is not judged here. */
test("thirty emulated machines, of which one refuses us at first", async () => {
  const env = await prepareEngine(silent, new AbortController().signal);
  const result = await scaleRound(30, env, (text) => process.stdout.write(`    scale │ ${text}\n`));
  expect(result).toMatchObject({ failing: 1, made: result.possible, left: 0, mostOpenOfOne: 1 });
  // One connection for each of the three runs; the one that refused us has been asked once more.
  expect(result.connectionsPerMachine).toBeLessThan(3);
  // A machine's resources are asked for in one round trip, but for a few that come late.
  expect(result.roundTrips.refresh).toBeLessThan(2);
}, 300_000);
