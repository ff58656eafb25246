import { createHash } from "node:crypto";

/** Addresses that a machine's number may stand for: control planes first, then workers; other names are strewn over what follows. */
const WORKERS_FROM = 9;
const OTHERS_FROM = 110;

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
