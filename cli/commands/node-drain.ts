import { DRAIN_FLAGS, drainNode, rulesOf } from "../nodes/drain-node";
import { onCluster } from "../engine/on-stack";
import { onlyWord, parseOptions, type Options, stackOption } from "../terminal/options";

/** `npm run node:drain -- worker-2`: its pods move elsewhere, within their budgets, and no new ones come. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, [...DRAIN_FLAGS, "keep-cordoned"], ["timeout"]);
  const name = onlyWord(options, "node");
  return await onCluster(options, "node:drain", async (api, session) => {
    const rules = { ...rulesOf(options), ...(options.flags.has("keep-cordoned") ? { stayCordoned: true } : {}) };
    const { evicted, forced } = await drainNode(api, options.stack, name, rules, session);
    session.screen.close();
    const gone = forced ? `${forced.pods.length} pods forced off` : `${evicted.length} pods evicted`;
    process.stdout.write(`${name} is drained and cordoned: ${gone}.\n${advice(name, options)}\n`);
    return 0;
  });
}

function advice(name: string, { stack }: Options): string {
  return `\`npm run node:uncordon -- ${name}${stackOption(stack)}\` lets pods come again.`;
}
