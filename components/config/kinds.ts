import type { AnyKind } from "../machines/kind";
import { kindNamed } from "../machines/kinds";
import type { WrittenConfig, WrittenPool } from "./schema";

type Own = Pick<WrittenPool, "machines">;
type Whole = Pick<WrittenConfig, "machines">;

/** Of which kind a pool's machines are, or the control planes'. */
export function kindOf({ machines }: Whole, { machines: own }: Own): AnyKind {
  return kindNamed(own?.kind ?? machines.kind);
}

/** What is said of all machines of a kind together. */
export function sharedSettings(config: Whole, { name, shared }: AnyKind): Record<string, unknown> {
  return only(shared, section(config.machines, name));
}

/** What is said of each machine of a pool: its own, over what is said of all of the kind. */
export function machineSettings(config: Whole, own: Own, { name, each }: AnyKind): Record<string, unknown> {
  return only(each, { ...section(config.machines, name), ...section(own.machines ?? {}, name) });
}

/** The sections of the kinds are in the schema by name only (schema.ts), so the type does not know them. */
function section(machines: object, kind: string): Record<string, unknown> {
  return (machines as Record<string, Record<string, unknown> | undefined>)[kind] ?? {};
}

function only(shape: object, given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name in shape));
}
