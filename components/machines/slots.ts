import { createHash } from "node:crypto";
import { parseCidr } from "../../render/cidr";

/** Slots of numbered names: control planes first, then workers. All other names are hashed to the slots after them. */
const FIRST_WORKER_SLOT = 9;
const FIRST_OTHER_SLOT = 110;

/**
 * Addresses of a network that no machine gets: those before the first machine, and the network's and broadcast
 * addresses.
 */
const RESERVED_ADDRESSES = 12;
const CHOSEN_PREFIX = 24;

/** Number of slots in a network. A network that Kubewright chooses has a prefix of 24 bits. */
export function slotCount(subnet: string | undefined): number {
  const prefix = parseCidr(subnet ?? "")?.prefix ?? CHOSEN_PREFIX;
  return Math.max(2 ** (32 - prefix) - RESERVED_ADDRESSES, 1);
}

/**
 * Assigns a slot of the network to each machine; the machine's address follows from it. The slot depends on the
 * machine's name, not on its position in the list, so no machine changes its address when another one is added or
 * removed.
 */
export function assignSlots(names: readonly string[], count: number): Map<string, number> {
  const taken = new Set<number>();
  return new Map(
    names.map((name) => {
      let slot = preferredSlot(name, count) % count;
      for (let tries = 0; taken.has(slot) && tries < count; tries++) slot = (slot + 1) % count;
      taken.add(slot);
      return [name, slot];
    }),
  );
}

function preferredSlot(name: string, count: number): number {
  const [, role, digits] = /^(control-plane|worker)-([1-9]\d*)$/.exec(name) ?? [];
  const number = Number(digits);
  if (role === "control-plane" && number <= FIRST_WORKER_SLOT) return number - 1;
  if (role === "worker" && FIRST_WORKER_SLOT + number <= FIRST_OTHER_SLOT) return FIRST_WORKER_SLOT + number - 1;
  const hash = createHash("sha256").update(name).digest().readUInt32BE(0);
  return count > FIRST_OTHER_SLOT ? FIRST_OTHER_SLOT + (hash % (count - FIRST_OTHER_SLOT)) : hash % count;
}
