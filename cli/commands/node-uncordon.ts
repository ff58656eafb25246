import { setSchedulable, requireNode } from "../../provider/kube/cordon";
import { onCluster } from "../engine/on-stack";
import { onlyWord, parseOptions } from "../terminal/options";

/** `npm run node:uncordon -- worker-2`: pods may be placed there again. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const name = onlyWord(options, "node");
  return await onCluster(options, "node:uncordon", async (api, session) => {
    await requireNode(api, name, session.signal);
    await setSchedulable(api, name, true, session.signal);
    session.screen.close();
    process.stdout.write(`${name} takes pods again.\n`);
    return 0;
  });
}
