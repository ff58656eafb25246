import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import {
  type EtcdMember,
  type RemovalForecast,
  forecastRemovals,
  readMembers,
} from "../../provider/kubeadm/etcd-status";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { controlPlaneRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import type { MachinePlan, Plan } from "../preview/plan";

/** Seconds to read etcd's members. An unhealthy member alone takes five. */
const READ_SECONDS = 20;

/** A machine that leaves the cluster. */
export interface Departure {
  name: string;
  /** Whether it joins again in the same run. */
  returns: boolean;
}

/**
 * Forecasts what etcd will be after each removal of a control plane, in order. Empty where no control plane of several
 * leaves.
 */
export async function etcdForecast(
  stack: Stack,
  session: Session,
  departures: readonly Departure[],
): Promise<RemovalForecast[]> {
  const machines = await controlPlaneRemotes(stack, session);
  const leaving = departures.filter(({ name }) => machines.some(({ connection }) => connection.name === name));
  if (leaving.length === 0 || machines.length < 2) return [];
  const members = await readMembersOfAny(machines, session.signal);
  return members
    ? forecastRemovals(members, leaving)
    : [noAnswer(machines.map(({ connection }) => machineName(connection)))];
}

/** Reads etcd's members through the first control plane whose etcd answers; the others may be stopped. */
export async function readMembersOfAny(
  machines: readonly Remote[],
  signal: AbortSignal,
): Promise<EtcdMember[] | undefined> {
  const limit = timeoutSignal(READ_SECONDS * 1_000, signal);
  const readings = machines.map(async (machine) => {
    const members = await readMembers(machine, limit);
    if (!members) throw new Error(`${machine.label}: etcd does not answer`);
    return members;
  });
  const members = await Promise.any(readings).catch(() => undefined);
  signal.throwIfAborted();
  return members;
}

function noAnswer(names: readonly string[]): RemovalForecast {
  return { text: `etcd does not answer on any of ${names.join(", ")}: no control plane can leave it`, isSafe: false };
}

/** Describes a forecast for a plan. */
export function forecastText({ text, isSafe }: RemovalForecast): string {
  return isSafe ? text : `${text}. The run refuses the removal, because no majority would remain`;
}

const DEPARTURES: Partial<Record<MachinePlan["outcome"], Omit<Departure, "name">>> = {
  recreated: { returns: true },
  rejoins: { returns: true },
  removed: { returns: false },
  leaves: { returns: false },
};

/** Adds to a plan what etcd will be after each control plane that leaves. */
export async function withEtcdForecast(stack: Stack, session: Session, plan: Plan): Promise<Plan> {
  const departures = plan.machines.flatMap(({ machine, outcome }) => {
    const departure = DEPARTURES[outcome];
    return departure ? [{ name: machine, ...departure }] : [];
  });
  if (departures.length === 0) return plan;
  const forecasts = await etcdForecast(stack, session, departures);
  return { ...plan, notices: [...plan.notices, ...forecasts.map(forecastText)] };
}

/**
 * Checks, before anything changes, that etcd keeps a majority when a control plane leaves.
 * @returns the forecast as lines of the plan
 * @throws StepError where no majority would remain, unless the configuration names the machine as abandoned
 */
export async function assertQuorum(stack: Stack, session: Session, departure: Departure): Promise<string[]> {
  const forecasts = await etcdForecast(stack, session, [departure]);
  const refused = forecasts.find(({ isSafe }) => !isSafe);
  if (!refused) return forecasts.map(forecastText);
  const { recovery } = await readStackConfig(stack);
  if (recovery?.abandoned?.includes(departure.name)) return forecasts.map(forecastText);
  throw new StepError({
    step: "removing the etcd member",
    machine: departure.name,
    cause: `${refused.text}, and etcd needs a majority of its members`,
    action:
      `nothing was changed; start the stopped control planes and run again (\`${userCommand("status")}\` lists the ` +
      "members of etcd), or see docs/api-endpoint.md if their machines are lost",
  });
}
