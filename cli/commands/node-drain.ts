import { withCluster } from "../engine/stack-session";
import { drainNode, drainSettings } from "../nodes/drain-node";
import { nodeArgument, stackCommand, type Options } from "../terminal/options";
import { pluralize } from "../terminal/text";

/** `npm run node:drain -- worker-2`: cordons a node and evicts its pods within their disruption budgets. */
export async function run(options: Options): Promise<number> {
  const name = nodeArgument(options);
  return await withCluster(options, "node drain", async (api, stack, session) => {
    const { evicted, forced } = await drainNode(api, stack, name, drainSettings(options), session);
    session.screen.close();
    const pods = forced
      ? `${pluralize(forced.pods.length, "pod")} force-deleted`
      : `${pluralize(evicted.length, "pod")} evicted`;
    process.stdout.write(`${name} is drained and cordoned: ${pods}.\n${nextStep(name, options)}\n`);
    return 0;
  });
}

function nextStep(name: string, { stack }: Options): string {
  return `\`${stackCommand("node uncordon", stack, name)}\` makes it schedulable again.`;
}
