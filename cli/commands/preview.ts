import type { Stack } from "@pulumi/pulumi/automation";
import { onStack } from "../engine/on-stack";
import type { Session } from "../engine/operate";
import { parseOptions, type Options } from "../terminal/options";
import { type Plan, planFrom } from "../preview/plan";
import { planText } from "../preview/plan-text";
import { foresee } from "../preview/run-preview";
import { withTrialConfig } from "../engine/trial-config";

const CHANGES = 2;

/**
 * `npm run preview`, `--refresh`, `--json`: what `npm start` would do; with `--config` also for a configuration that is only tried.
 * Exit code 0: nothing, 2: something, 1: it could not be told.
 */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["refresh", "json"]);
  return await onStack(options, "preview", async (stack, session) => {
    session.progress("looking at what would happen");
    const plan = await look(stack, session, options);
    session.screen.close();
    process.stdout.write(options.flags.has("json") ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
    return plan.counts.resources > 0 ? CHANGES : 0;
  });
}

async function look(stack: Stack, session: Session, { config, flags }: Options): Promise<Plan> {
  return await withTrialConfig(stack, config, async (configFile) =>
    planFrom(await foresee(stack, session, { refresh: flags.has("refresh"), ...configFile })),
  );
}
