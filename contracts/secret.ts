import type { z } from "zod";
import { Marker } from "./marker";

const secrets = new Marker();

/** Marks a property whose value is encrypted in the state and hidden in previews. */
export function secret<S extends z.ZodType>(schema: S): S {
  return secrets.mark(schema);
}

/** Whether the property is marked as a secret. */
export function isSecret(schema: z.core.$ZodType): boolean {
  return secrets.has(schema);
}

/** Paths of the secret properties that a value holds: `["connection", "password"]`. */
export function secretPaths(schema: z.core.$ZodType, value: unknown): string[][] {
  return secrets.pathsIn(schema, value);
}
