import { withStack } from "../engine/stack-session";
import { driftText, readDrift } from "../preview/drift";
import type { Options } from "../terminal/options";

const DRIFT = 2;
const INCOMPLETE = 1;

/** `npm run drift`: reads every machine and lists what differs from the configuration. */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "drift", async (stack, session) => {
    session.progress("reading every machine");
    const report = await readDrift(stack, session);
    session.screen.close();
    process.stdout.write(options.flags.has("json") ? `${JSON.stringify(report, null, 2)}\n` : driftText(report));
    if (report.drift.length > 0) return DRIFT;
    return report.complete ? 0 : INCOMPLETE;
  });
}
