import { createHash } from "node:crypto";
import { parseCidr } from "../../render/cidr";

/** Addresses that a machine's number may stand for: control planes first, then workers; other names are strewn over what follows. */
const WORKERS_FROM = 9;
const OTHERS_FROM = 110;

/** Of the addresses of a network, those before the first machine's and the two that are nobody's. */
const NO_MACHINES = 12;
const CHOSEN_PREFIX = 24;

/** How many machines have room in a network; one that is chosen for us has 24 bits. */
export function roomIn(subnet: string | undefined): number {
  const prefix = parseCidr(subnet ?? "")?.prefix ?? CHOSEN_PREFIX;
  return Math.max(2 ** (32 - prefix) - NO_MACHINES, 1);
}

/**
 * Which place in the network each machine has, from which its address follows. It comes from the name and not from the position in the
 * list: so no machine moves when another comes or goes.
 * @param room how many places the network has
 */
export function slotsOf(names: readonly string[], room: number): Map<string, number> {
  const taken = new Set<number>();
  return new Map(
    names.map((name) => {
      let slot = preferred(name, room) % room;
      for (let tries = 0; taken.has(slot) && tries < room; tries++) slot = (slot + 1) % room;
      taken.add(slot);
      return [name, slot];
    }),
  );
}

function preferred(name: string, room: number): number {
  const [, kind, digits] = /^(control-plane|worker)-([1-9]\d*)$/.exec(name) ?? [];
  const number = Number(digits);
  if (kind === "control-plane" && number <= WORKERS_FROM) return number - 1;
  if (kind === "worker" && WORKERS_FROM + number <= OTHERS_FROM) return WORKERS_FROM + number - 1;
  const hash = createHash("sha256").update(name).digest().readUInt32BE(0);
  return room > OTHERS_FROM ? OTHERS_FROM + (hash % (room - OTHERS_FROM)) : hash % room;
}
