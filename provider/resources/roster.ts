import { z } from "zod";
import { register, type Handler } from "../rpc/handler";

const schema = z.strictObject({
  members: z.array(z.string()),
  /** A word of this run alone. It says nothing about the cluster, so a change of it is no change. */
  run: z.string().min(1),
});

type RosterInputs = z.infer<typeof schema>;
interface RosterOutputs {
  /** Each member and the run in which it was new. */
  since: Record<string, string>;
}

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
const roster: Handler<RosterInputs, RosterOutputs> = {
  schema,
  outputs: ["since"],
  replaceOn: [],
  ignore: ["run"],
  predict: (inputs, old) => ({ since: sinceWhen(inputs, old?.outputs.since) }),
  create: async (_context, inputs) => ({ id: "roster", outputs: { since: sinceWhen(inputs) } }),
  update: async (_context, _id, inputs, old) => ({ since: sinceWhen(inputs, old.outputs.since) }),
};

export const rosterResource = register(roster);
