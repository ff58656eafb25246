import type { Inputs } from "../../contracts/contract";
import { rosterContract } from "../../contracts/cluster/roster";
import { register, type Handler } from "../rpc/handler";

type RosterInputs = Inputs<typeof rosterContract>;

/** Those that were there stay since when they were; the others are new in this run. */
function sinceWhen(
  { members = [], run = "" }: Partial<RosterInputs>,
  known: Record<string, string> = {},
): Record<string, string> {
  return Object.fromEntries(members.map((name) => [name, known[name] ?? run]));
}

/**
 * Remembers who was a member when the last run ended: the program itself has no memory, and must know which machines serve already
 * (they are touched one after the other) and which are new (they come all at once). See docs/rolling-updates.md.
 */
const roster: Handler<typeof rosterContract> = {
  contract: rosterContract,
  replaceOn: [],
  ignore: ["run"],
  predict: (inputs, old) => ({ since: sinceWhen(inputs, old?.outputs.since) }),
  create: async (_context, inputs) => ({ id: "roster", outputs: { since: sinceWhen(inputs) } }),
  update: async (_context, _id, inputs, old) => ({ since: sinceWhen(inputs, old.outputs.since) }),
};

export const rosterResource = register(roster);
