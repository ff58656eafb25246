import type { Stack } from "@pulumi/pulumi/automation";
import type { Session } from "../engine/session";
import { withStack } from "../engine/stack-session";
import { withTrialConfig } from "../engine/trial-config";
import { withEtcdForecast } from "../nodes/etcd-forecast";
import { planFrom, type Plan } from "../preview/plan";
import { planMarkdown } from "../preview/plan-markdown";
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
    process.stdout.write(planOutput(plan, options));
    return plan.counts.resources > 0 ? CHANGES : 0;
  });
}

function planOutput(plan: Plan, { stack, flags }: Options): string {
  if (flags.has("json")) return `${JSON.stringify(plan, null, 2)}\n`;
  return flags.has("markdown") ? planMarkdown(stack, plan) : planText(plan);
}

async function planFor(stack: Stack, session: Session, { config, flags }: Options): Promise<Plan> {
  return await withTrialConfig(stack, config, async (configFile) =>
    planFrom(await runPreview(stack, session, { refresh: flags.has("refresh"), ...configFile })),
  );
}
