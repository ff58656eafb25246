import type { Connection } from "../../contracts/connection";

/** Names of machines, or `all`: set for one run by who knows that they will not come back. */
const SWITCH = "KUBEWRIGHT_FORGET_UNREACHABLE";

/** Names of machines that this run makes anew: set by who asked for it. */
export const REBUILT = "KUBEWRIGHT_REBUILT";

/** Machines of which this run has proof that they are gone. */
const gone = new Set<string>();

/** From here on nothing waits for this machine: what it holds is let go of, with a word about it. */
export function markGone(connection: Connection): void {
  gone.add(keyOf(connection));
}

/** Known to be gone: not even a try is worth its 45 s. */
export function isMarkedGone(connection: Connection): boolean {
  return gone.has(keyOf(connection));
}

/** May what is on the machine be let go of if it does not answer? */
export function mayForget(connection: Connection): boolean {
  return isNamed(connection, process.env[SWITCH]);
}

/**
 * Does the machine go in this run, with everything that is on it? Then nothing there need be undone. The engine knows this of a machine that
 * is removed (`deletedWith`), but not of one that is made anew.
 */
export function isRebuilt(connection: Connection): boolean {
  return isNamed(connection, process.env[REBUILT]);
}

function isNamed({ name, host }: Connection, list = ""): boolean {
  const names = list.split(",").map((one) => one.trim());
  return names.includes("all") || [name, host].some((one) => one !== undefined && names.includes(one));
}

export function howToForget({ name, host }: Connection): string {
  return `bring it back, or say that it is gone for good: ${SWITCH}=${name ?? host} pulumi up`;
}

function keyOf({ host, port = 22, hostKey = "" }: Connection): string {
  return `${host}:${port} ${hostKey}`;
}
