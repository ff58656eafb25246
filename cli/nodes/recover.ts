import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { StepError, messageOf } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import {
  endRecovery,
  hasEtcdData,
  isRecovering,
  recoverEtcd,
  startRecovered,
  undoRecovery,
} from "../../provider/backup/recover-etcd";
import { readMember, type RestoredMember } from "../../provider/backup/restored-member";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { waitForApiServer, waitForControllers } from "../../provider/backup/restored-cluster";
import { controlPlaneRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { readMembersOfAny } from "./etcd-forecast";

/** Seconds within which a control plane must answer over SSH. */
const ANSWER_SECONDS = 15;
const STEP = "recovering etcd";
const nameOf = ({ connection }: Remote) => machineName(connection);

/** A control plane on which etcd is recovered. */
export interface Recovery {
  machine: Remote;
  /** Names of the other control planes, whose members are removed. */
  lost: readonly string[];
  /** Whether an earlier recovery was interrupted. */
  isResumed: boolean;
}

/**
 * Determines whether etcd can be recovered on a control plane.
 * @throws StepError where that is not needed, or another control plane may still have what this one lacks
 */
export async function planRecovery(stack: Stack, session: Session, name: string): Promise<Recovery> {
  const machines = await controlPlaneRemotes(stack, session);
  const machine = machines.find((one) => nameOf(one) === name);
  if (!machine || machines.length < 2) throw notRecoverable(name, machines.map(nameOf));
  const isResumed = await isRecovering(machine, session.signal);
  if (!isResumed && (await hasMajority(machines, session.signal))) throw healthyEtcd(name);
  const others = machines.filter((one) => one !== machine);
  const answers = await Promise.all(others.map((one) => hasEtcdData(one, limited(session.signal))));
  session.signal.throwIfAborted();
  const withData = others.filter((_, index) => answers[index] === true).map(nameOf);
  if (withData.length > 0) throw otherMembers(name, withData);
  return { machine, lost: others.map(nameOf), isResumed };
}

async function hasMajority(machines: readonly Remote[], signal: AbortSignal): Promise<boolean> {
  const members = await readMembersOfAny(machines, signal);
  return members !== undefined && members.filter(({ isHealthy }) => isHealthy).length > members.length / 2;
}

function limited(signal: AbortSignal): AbortSignal {
  return timeoutSignal(ANSWER_SECONDS * 1_000, signal);
}

function notRecoverable(name: string, all: readonly string[]): StepError {
  const isSingle = all.length === 1 && all.includes(name);
  return new StepError({
    step: STEP,
    machine: name,
    cause: isSingle ? "it is the only control plane, so etcd has no other members" : "it is no control plane",
    action: isSingle
      ? `\`${userCommand("status")}\` reports what is wrong; \`${userCommand("restore")}\` restores a backup`
      : `use one of ${all.join(", ")}`,
  });
}

function healthyEtcd(name: string): StepError {
  return new StepError({
    step: STEP,
    machine: name,
    cause: "etcd has a majority of its members, so there is nothing to recover",
    action:
      `\`${userCommand("up", "--refresh")}\` rebuilds lost control planes, ` +
      `and \`${userCommand("status")}\` lists them`,
  });
}

function otherMembers(name: string, others: readonly string[]): StepError {
  const list = others.join(", ");
  return new StepError({
    step: STEP,
    machine: name,
    cause: `${list} can be reached, and has data of etcd, which would be discarded`,
    action:
      "start etcd there (`systemctl start kubelet`), which may bring the majority back; where its data is lost, run " +
      `\`kubeadm reset --force\` on ${list}, then run this command again`,
  });
}

/** Describes a recovery before the command asks. */
export function recoveryText({ machine, lost, isResumed }: Recovery): string {
  const name = nameOf(machine);
  return `${[
    `${isResumed ? "Continue the recovery of" : "Recover"} etcd on ${name}, which becomes its only member.`,
    "",
    `  1. the control plane on ${name} stops; pods and Services continue`,
    "  2. etcd's data is copied",
    "  3. etcd starts as a new cluster with that data, and again without the flag for it",
    "  4. the API server, the controller manager and the scheduler are proved healthy",
    "",
    `Members that are removed: ${lost.join(", ")}. Writes that only they had are LOST.`,
    `Do not start ${lost.join(" and ")} again with the previous data: rebuild them.`,
    "If a step fails, the data is put back.",
  ].join("\n")}\n`;
}

/**
 * Makes a control plane's member the only one of etcd, and proves that the control plane works with it.
 * @returns the path of the copy of etcd's data from before
 */
export async function recover(session: Session, { machine }: Recovery): Promise<string> {
  const { signal, progress } = session;
  const member = await readMember(machine, signal);
  try {
    progress(`${machine.label}: starting etcd as its only member`);
    await recoverEtcd(member, signal);
    progress(`${machine.label}: starting the API server`);
    await startRecovered(member);
    await waitForApiServer(session.provider, machine, signal);
    progress("waiting until the controllers work");
    const unproved = await waitForControllers(await session.provider.kube.api([machine.connection], signal), signal);
    if (unproved !== undefined) progress(`warning: a policy prevents the proof of the controllers: ${unproved}`);
  } catch (error) {
    throw await undoAfter(session, member, error);
  }
  return await endRecovery(member);
}

/** Puts the previous data back, also after Ctrl-C. @returns the error to report */
async function undoAfter({ progress }: Session, member: RestoredMember, error: unknown): Promise<StepError> {
  const cause = messageOf(error);
  progress(`${cause}; putting etcd's data back`);
  const result = await undoRecovery(member, new AbortController().signal).then(
    () => "etcd's data was put back, without a majority as before",
    (failure: unknown) => `etcd's data could not be put back: ${messageOf(failure)}`,
  );
  progress(result); // After Ctrl-C the error is not printed.
  return new StepError({
    step: STEP,
    machine: member.machine.label,
    cause: `${cause}; ${result}`,
    action: "repair what the error names, then run the same command again",
  });
}
