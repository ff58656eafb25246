import { setSchedulable, requireNode } from "../../provider/kube/cordon";
import { withCluster } from "../engine/stack-session";
import { nodeArgument, type Options } from "../terminal/options";

/** `npm run node:uncordon -- worker-2`: makes a node schedulable again. */
export async function run(options: Options): Promise<number> {
  const name = nodeArgument(options);
  return await withCluster(options, "node uncordon", async (api, _stack, session) => {
    await requireNode(api, name, session.signal);
    await setSchedulable(api, name, true, session.signal);
    session.screen.close();
    process.stdout.write(`${name} is uncordoned.\n`);
    return 0;
  });
}
