import type { Stack } from "@pulumi/pulumi/automation";
import { onStack } from "./lib/on-stack";
import type { Session } from "./lib/operate";
import { parseOptions, type Options } from "./lib/options";
import { type Plan, planFrom } from "./lib/plan/plan";
import { planText } from "./lib/plan/plan-text";
import { foresee } from "./lib/plan/foresee";
import { withTrialConfig } from "./lib/trial-config";

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
