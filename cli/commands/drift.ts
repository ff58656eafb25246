import { driftReport, driftText } from "../preview/drift";
import { onStack } from "../engine/on-stack";
import { parseOptions } from "../terminal/options";

const DRIFT = 2;

/** `npm run drift`, `--json`: what is not as configured on any machine. Exit code 0: nothing, 2: something, 1: it could not be looked at. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["json"]);
  return await onStack(options, "drift", async (stack, session) => {
    session.progress("looking at every machine");
    const report = await driftReport(stack, session);
    session.screen.close();
    process.stdout.write(options.flags.has("json") ? `${JSON.stringify(report, null, 2)}\n` : driftText(report));
    if (report.drift.length > 0) return DRIFT;
    return report.complete ? 0 : 1;
  });
}
