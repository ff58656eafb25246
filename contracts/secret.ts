import { z } from "zod";

const secrets = z.registry<{ secret: true }>();

/** Marks a property whose value is encrypted in the state and hidden in previews. */
export function secret<S extends z.ZodType>(schema: S): S {
  const marked = schema.clone();
  secrets.add(marked, { secret: true });
  return marked;
}

/** Whether the property is marked as a secret. */
export function isSecret(schema: z.core.$ZodType): boolean {
  if (secrets.has(schema)) return true;
  const inner = innerSchema(schema);
  return inner !== undefined && isSecret(inner);
}

/** Paths of the secret properties that a value holds: `["connection", "password"]`. */
export function secretPaths(schema: z.core.$ZodType, value: unknown, path: readonly string[] = []): string[][] {
  if (value === undefined || value === null) return [];
  if (isSecret(schema)) return [[...path]];
  const inner = innerSchema(schema);
  if (inner) return secretPaths(inner, value, path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => secretPaths(option, value, path));
  return childSchemas(schema, value).flatMap(([name, child, held]) => secretPaths(child, held, [...path, name]));
}

type Child = readonly [name: string, schema: z.core.$ZodType, value: unknown];

function childSchemas(schema: z.core.$ZodType, value: unknown): Child[] {
  if (Array.isArray(value))
    return schema instanceof z.ZodArray
      ? value.map((held, index) => [String(index), schema.element, held] as const)
      : [];
  if (typeof value !== "object" || value === null) return [];
  const held = Object.entries(value);
  if (schema instanceof z.ZodRecord) return held.map(([name, one]) => [name, schema.valueType, one] as const);
  if (!(schema instanceof z.ZodObject)) return [];
  const shape = schema.shape as Record<string, z.core.$ZodType>;
  return held.flatMap(([name, one]) => (shape[name] ? [[name, shape[name], one] as const] : []));
}

/** The schema that an optional, nullable, defaulted, read-only or lazy one wraps. */
function innerSchema(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return schema.unwrap();
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema.unwrap();
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodLazy) return schema.unwrap();
  return undefined;
}
