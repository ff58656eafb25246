import { z } from "zod";

/** A mark on properties of contracts, which the provider finds in values. */
export class Marker {
  private readonly marked = z.registry<{ marked: true }>();

  /** Returns a copy of the schema that has the mark. */
  mark<S extends z.ZodType>(schema: S): S {
    const copy = schema.clone();
    this.marked.add(copy, { marked: true });
    return copy;
  }

  /** Whether the property has the mark. */
  has(schema: z.core.$ZodType): boolean {
    if (this.marked.has(schema)) return true;
    const inner = innerSchema(schema);
    return inner !== undefined && this.has(inner);
  }

  /** Returns the paths of the properties with the mark that a value has: `["connection", "password"]`. */
  pathsIn(schema: z.core.$ZodType, value: unknown, path: readonly string[] = []): string[][] {
    if (value === undefined || value === null) return [];
    if (this.has(schema)) return [[...path]];
    const inner = innerSchema(schema);
    if (inner) return this.pathsIn(inner, value, path);
    if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => this.pathsIn(option, value, path));
    return childSchemas(schema, value).flatMap(([name, child, held]) => this.pathsIn(child, held, [...path, name]));
  }
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
