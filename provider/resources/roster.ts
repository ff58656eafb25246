import type { Inputs } from "../../contracts/contract";
import { rosterContract } from "../../contracts/cluster/roster";
import { register, type Handler } from "../rpc/handler";

type RosterInputs = Inputs<typeof rosterContract>;

/** Existing members keep their run; new ones get the current run. */
function assignRuns(
  { members = [], run = "" }: Partial<RosterInputs>,
  recorded: Record<string, string> = {},
): Record<string, string> {
  return Object.fromEntries(members.map((name) => [name, recorded[name] ?? run]));
}

async function create(_context: unknown, inputs: RosterInputs) {
  return { id: "roster", outputs: { since: assignRuns(inputs) } };
}

/**
 * Records in which run each machine became a member. The program keeps no state, but must know which machines are
 * members already (they change one after the other) and which are new (they change in parallel). See
 * docs/rolling-updates.md.
 */
const roster: Handler<typeof rosterContract> = {
  contract: rosterContract,
  replaceOn: [],
  ignore: ["run"],
  predict: (inputs, old) => ({ since: assignRuns(inputs, old?.outputs.since) }),
  create,
  adopt: create,
  update: async (_context, _id, inputs, old) => ({ since: assignRuns(inputs, old.outputs.since) }),
};

export const rosterResource = register(roster);
