import { ETCDCTL } from "../../render/etcdctl";
import type { Remote } from "../ssh/remote";
import { IGNORE_FAILURE } from "./etcdctl";

const SECONDS = 60;
const SEPARATOR = "--- health ---";

export interface EtcdMember {
  id: string;
  /** Name of the member's node; empty until the member has started. */
  name: string;
  isHealthy: boolean;
  /** A learner does not vote yet. */
  isLearner: boolean;
}

/**
 * Reads the members of etcd and their health through the member on a machine; undefined when it does not answer.
 * Asking an unhealthy member takes five seconds.
 */
export async function readMembers(machine: Remote, signal: AbortSignal): Promise<EtcdMember[] | undefined> {
  const script = `${IGNORE_FAILURE}
${ETCDCTL}
etcdctl member list
echo '${SEPARATOR}'
etcdctl endpoint health --cluster 2>&1`;
  const { stdout } = await machine.run(script, { step: "reading etcd's members", signal, timeout: SECONDS });
  return parseMembers(stdout);
}

/** Parses `etcdctl member list` and `etcdctl endpoint health`. */
export function parseMembers(output: string): EtcdMember[] | undefined {
  const [list = "", health = ""] = output.split(SEPARATOR);
  const healthy = new Set([...health.matchAll(/^(\S+) is healthy/gm)].map(([, endpoint = ""]) => endpoint));
  const members = list.split("\n").flatMap((line): EtcdMember[] => {
    const [id, , name, , urls, learner] = line.split(/, */);
    if (id === undefined || !/^[0-9a-f]+$/.test(id) || name === undefined || urls === undefined) return [];
    return [{ id, name, isHealthy: urls.split(",").some((url) => healthy.has(url)), isLearner: learner === "true" }];
  });
  return members.length > 0 ? members : undefined;
}

/** What etcd is after the removal of a member. */
export interface RemovalForecast {
  /** `etcd has 3 members, 2 healthy: removing cp-2 leaves 2 of 2` */
  text: string;
  /** Whether the remaining members have a majority. */
  isSafe: boolean;
}

/** Determines whether the members that remain after a removal have a majority. */
export function forecastRemoval(all: readonly EtcdMember[], name: string): RemovalForecast {
  const members = all.filter(({ isLearner }) => !isLearner);
  const rest = members.filter((member) => member.name !== name);
  const [healthy, remaining] = [members, rest].map((some) => some.filter(({ isHealthy }) => isHealthy).length);
  const needed = Math.floor(rest.length / 2) + 1;
  const text =
    `etcd has ${members.length} members, ${healthy} healthy: ` +
    `removing ${name} leaves ${remaining} of ${rest.length}`;
  return { text, isSafe: (remaining ?? 0) >= needed };
}

/**
 * Determines what etcd is after each of several removals, in order.
 * @param removals `returns`: whether the machine joins again before the next removal
 */
export function forecastRemovals(
  members: readonly EtcdMember[],
  removals: readonly { name: string; returns: boolean }[],
): RemovalForecast[] {
  let current = [...members];
  return removals.map(({ name, returns }) => {
    const forecast = forecastRemoval(current, name);
    const rest = current.filter((member) => member.name !== name);
    current = returns ? [...rest, { id: "", name, isHealthy: true, isLearner: false }] : rest;
    return forecast;
  });
}
