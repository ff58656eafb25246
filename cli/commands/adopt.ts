import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { userCommand } from "../../common/user-command";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import type { Step } from "../../provider/preview/step";
import { adoptInto, keepAdoption, withScratchStack } from "../engine/adopt";
import { fillCache } from "../engine/fill-cache";
import { runOperation } from "../engine/operate";
import { PROJECT } from "../engine/project-folder";
import { withSession, type Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { withStackLock } from "../engine/stack-lock";
import { resourcesOf } from "../engine/state";
import { findStack, openStack, prepareEngine } from "../engine/workspace";
import { adoptionText, writesKubeconfig, type Adoption } from "../preview/adoption-text";
import { planFrom } from "../preview/plan";
import { runPreview } from "../preview/run-preview";
import { stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { pluralize } from "../terminal/text";

/** `npm run adopt`: takes a running cluster into a new state, after the old one was lost. No machine changes. */
export async function run(options: Options): Promise<number> {
  const locked = (session: Session) =>
    withStackLock(options.stack, PROJECT, userCommand("adopt"), () => adopt(options, session));
  return await withSession(options.stack, locked, 1, { afterInterrupt: "nothing was changed" });
}

async function adopt(options: Options, session: Session): Promise<number> {
  const { stack: name, flags } = options;
  await prepareEngine(session.progress, session.signal);
  await assertNoState(name);
  return await withScratchStack(name, async (scratch, keep) => {
    const adoption = await readAdoption(scratch, session);
    session.screen.close();
    const isPlan = flags.has("plan");
    if (isPlan || !flags.has("json")) print(adoption, flags, { adopted: false });
    if (isPlan) return 0;
    if (!flags.has("yes") && !(await confirm("Adopt them?", session.signal))) return 1;
    keep();
    const stack = await openStack(name);
    await keepAdoption(scratch, stack, session.signal);
    if (writesKubeconfig(adoption)) await runOperation(stack, "up", session);
    session.screen.close();
    if (flags.has("json")) print(adoption, flags, { adopted: true });
    else process.stdout.write(resultText(adoption));
    return 0;
  });
}

/** @throws StepError where the stack has resources, which an adoption would replace in the state */
async function assertNoState(name: string): Promise<void> {
  const stack = await findStack(name);
  const resources = stack ? (await resourcesOf(stack)).filter(({ type }) => !type.startsWith("pulumi:")) : [];
  if (resources.length === 0) return;
  throw new StepError({
    step: "adopting the cluster",
    cause: `stack "${name}" has a state with ${pluralize(resources.length, "resource")}`,
    action: `run \`${stackCommand("drift", name)}\` to compare it with the machines, or use another --stack`,
  });
}

async function readAdoption(scratch: Stack, session: Session): Promise<Adoption> {
  const config = await readStackConfig(scratch);
  if (config.bootstrap !== "kubeadm") {
    throw new StepError({
      step: "adopting the cluster",
      cause: "the keys of a cluster that is built by components are only in its state",
      action: "restore the state from a copy, or build the cluster again",
    });
  }
  await fillCache(config, session);
  session.progress("reading the configuration");
  assertOwnResources((await runPreview(scratch, session)).steps);
  const { notices, ...found } = await adoptInto(scratch, session);
  session.progress("comparing with the configuration");
  const preview = await runPreview(scratch, session);
  const files = preview.steps.filter(isMissingKubeconfig);
  const steps = preview.steps.filter((step) => !files.includes(step));
  const plan = planFrom({ steps, notices: [...new Set([...notices, ...preview.notices])] });
  const [kubeconfig] = files.map(({ desired }) => String(desired.path));
  return { stack: scratch.name, ...found, plan, ...optional({ kubeconfig }) };
}

function isMissingKubeconfig({ op, type }: Step): boolean {
  return op === "create" && type === kubeconfigContract.type;
}

/** Other providers would create their resources: they cannot know that those exist. */
function assertOwnResources(steps: readonly Step[]): void {
  const others = steps.filter(({ op, type }) => op !== "same" && !type.startsWith("kubewright:"));
  const [first] = others;
  if (!first) return;
  const count = pluralize(others.length, "resource");
  throw new StepError({
    step: "adopting the cluster",
    cause: `the configuration has ${count} of other providers, such as ${first.type} ${first.name}`,
    action: first.type.startsWith("command:") ? WITHOUT_COMMANDS : WITHOUT_CLOUD,
  });
}

const WITHOUT_COMMANDS = "remove the commands of pools from the configuration, and add them again after the adoption";
const WITHOUT_CLOUD = "list the machines of a cloud under machines.ssh.hosts, as docs/backup.md describes";

function print(adoption: Adoption, flags: Options["flags"], outcome: { adopted: boolean }): void {
  const json = () => `${JSON.stringify({ ...outcome, ...adoption }, null, 2)}\n`;
  process.stdout.write(flags.has("json") ? json() : `\n${adoptionText(adoption)}`);
}

function resultText({ stack, resources, machines, plan }: Adoption): string {
  const next =
    plan.counts.resources === 0
      ? `check it with \`${stackCommand("status", stack)}\``
      : `see what an update would change with \`${stackCommand("preview", stack)}\``;
  return (
    `\nStack ${stack} has ${pluralize(resources, "resource")} on ${pluralize(machines.length, "machine")}. ` +
    `Nothing was changed on them; ${next}.\n`
  );
}
