import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { silent } from "../../common/progress";
import { userCommand } from "../../common/user-command";
import { writeKubeconfig } from "../../provider/resources/kubeconfig";
import { PHASES } from "../../provider/rotation/phases";
import { nextPhase, readRotation, removeRotation, type RotationRecord } from "../../provider/rotation/rotation-record";
import type { Remote } from "../../provider/ssh/remote";
import { clusterApi, missingCluster } from "../engine/cluster-api";
import { controlPlaneRemotes, machineRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { withStack } from "../engine/stack-session";
import { hasCluster, recordedKubeconfig } from "../engine/state";
import { readKeys } from "../rotation/new-keys";
import { parseAuthorities, planRotation, requireNewTokens, type PlannedRotation } from "../rotation/plan-rotation";
import { beginPhase, rotate } from "../rotation/rotate";
import { rotationPlanText } from "../rotation/rotation-plan";
import { stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { seconds } from "../terminal/text";

const COMMAND = "rotate-ca";

/** `npm run rotate-ca`: does the next phase of a rotation of the CAs. */
export async function run(options: Options): Promise<number> {
  const afterInterrupt = `\`${userCommand(COMMAND)}\` continues from there`;
  return await withStack(options, COMMAND, async (stack, session) => runPhase(stack, session, options), afterInterrupt);
}

async function runPhase(stack: Stack, session: Session, options: Options): Promise<number> {
  const { signal } = session;
  const planned = await planPhase(stack, session, options);
  if (planned === undefined) return 0;
  const api = await clusterApi(stack, session);
  const plan = await planRotation(api, planned, signal);
  session.screen.close();
  process.stdout.write(`\n${rotationPlanText(plan)}`);
  const { phase, authorities, before, controlPlanes, machines, keys } = planned;
  if (phase === "drop" && before?.isDone) await requireNewTokens(api, controlPlanes, before, signal);
  if (options.flags.has("plan")) return 0;
  if (!options.flags.has("yes") && !(await confirm(`Do phase ${phase}?`, signal))) return 1;
  const start = Date.now();
  const isBegun = before !== undefined && !before.isDone;
  await rotate(
    { stack, session, controlPlanes, machines, keys },
    isBegun ? before : beginPhase(phase, authorities, before),
  );
  if (authorities.includes("cluster")) await updateKubeconfig(stack, session);
  const next = PHASES[PHASES.indexOf(phase) + 1];
  const command = stackCommand(COMMAND, stack.name);
  const rest = next ? `\`${command}\` does the next one, ${next}.` : "The rotation is complete.";
  process.stdout.write(`\nPhase ${phase} is done on all machines, after ${seconds(start)}. ${rest}\n`);
  return 0;
}

/** @returns undefined where an earlier run had only to be ended */
async function planPhase(stack: Stack, session: Session, options: Options): Promise<PlannedRotation | undefined> {
  const { controlPlanes, machines } = await readMachines(stack, session);
  const before = await readRotation(controlPlanes, session.signal);
  const phase = nextPhase(before);
  if (phase === undefined) {
    if (!options.flags.has("plan")) await removeRotation(machines, session.signal);
    session.progress("the last rotation is complete; run the command again to begin another one");
    return undefined;
  }
  const authorities = before?.authorities ?? parseAuthorities(options.values.only);
  assertSameAuthorities(before, options);
  const keys = await readKeys(stack, controlPlanes, session.signal);
  return { phase, authorities, before, controlPlanes, machines, keys };
}

function assertSameAuthorities(before: RotationRecord | undefined, { values }: Options): void {
  if (before === undefined || values.only === undefined) return;
  if (parseAuthorities(values.only).join() === before.authorities.join()) return;
  throw new StepError({
    step: "reading --only",
    cause: `a rotation of ${before.authorities.join(",")} is in progress`,
    action: "finish it without --only, then rotate the others",
  });
}

/** Returns the control planes, and all machines with them first. */
async function readMachines(
  stack: Stack,
  session: Session,
): Promise<Pick<PlannedRotation, "controlPlanes" | "machines">> {
  const controlPlanes = await controlPlaneRemotes(stack, session);
  if (controlPlanes.length === 0) throw missingCluster(stack.name);
  if (!(await hasCluster(stack))) throw notKubeadm();
  const addressOf = ({ connection }: Remote) => `${connection.host}:${connection.port ?? ""}`;
  const known = new Set(controlPlanes.map(addressOf));
  const others = (await machineRemotes(stack, session)).filter((machine) => !known.has(addressOf(machine)));
  return { controlPlanes, machines: [...controlPlanes, ...others] };
}

function notKubeadm(): StepError {
  return new StepError({
    step: "reading the stack",
    cause: "kubeadm did not build this cluster: the keys of its CAs are in the state",
    action: `\`${userCommand("up")}\` issues its certificates`,
  });
}

/** Writes the control planes' CAs and client certificate into the kubeconfig of the stack. */
async function updateKubeconfig(stack: Stack, { provider, signal }: Session): Promise<void> {
  const recorded = await recordedKubeconfig(stack);
  if (recorded) await writeKubeconfig({ kube: provider.kube, signal, status: silent }, recorded.inputs, recorded);
}
