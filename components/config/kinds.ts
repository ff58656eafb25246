import type { AnyKind } from "../machines/kind";
import { kindNamed } from "./machine-kinds";
import type { WrittenConfig, WrittenPool } from "./schema";

type PoolMachines = Pick<WrittenPool, "machines">;
type AllMachines = Pick<WrittenConfig, "machines">;

/** The kind of a pool's machines, or of the control planes. */
export function kindOf({ machines }: AllMachines, { machines: own }: PoolMachines): AnyKind {
  return kindNamed(own?.kind ?? machines.kind);
}

/** The settings that all machines of a kind share. */
export function sharedSettings(config: AllMachines, { name, shared }: AnyKind): Record<string, unknown> {
  return pick(shared, section(config.machines, name));
}

/** The settings of a pool's machines, merged over those of all machines of the kind. */
export function machineSettings(
  config: AllMachines,
  pool: PoolMachines,
  { name, each }: AnyKind,
): Record<string, unknown> {
  return pick(each, { ...section(config.machines, name), ...section(pool.machines ?? {}, name) });
}

function section(machines: object, kind: string): Record<string, unknown> {
  return (machines as Record<string, Record<string, unknown> | undefined>)[kind] ?? {};
}

function pick(shape: object, settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name in shape));
}
