import type { Stack } from "@pulumi/pulumi/automation";
import type { Session } from "../engine/session";
import { withStack } from "../engine/stack-session";
import { withTrialConfig } from "../engine/trial-config";
import { withEtcdForecast } from "../nodes/etcd-forecast";
import { planFrom, type Plan } from "../preview/plan";
import { planText } from "../preview/plan-text";
import { runPreview } from "../preview/run-preview";
import type { Options } from "../terminal/options";

const CHANGES = 2;

/** `npm run preview`: shows what `npm start` would change, with `--config` for a configuration that is not saved. */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "preview", async (stack, session) => {
    session.progress("computing the plan");
    const plan = await withEtcdForecast(stack, session, await planFor(stack, session, options));
    session.screen.close();
    process.stdout.write(options.flags.has("json") ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
    return plan.counts.resources > 0 ? CHANGES : 0;
  });
}

async function planFor(stack: Stack, session: Session, { config, flags }: Options): Promise<Plan> {
  return await withTrialConfig(stack, config, async (configFile) =>
    planFrom(await runPreview(stack, session, { refresh: flags.has("refresh"), ...configFile })),
  );
}
