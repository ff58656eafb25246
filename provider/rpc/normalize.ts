import { z } from "zod";
import { UNKNOWN, isObject, type Properties } from "./values";

type Schema = z.core.$ZodType;

/**
 * Fills in the defaults of absent properties, and drops properties that are null where the schema does not accept null:
 * on the wire null means "absent". Unknown values stay, and so do properties that the schema does not have. Both new
 * and recorded inputs are normalized, so a default that is added to a schema does not change existing resources.
 */
export function normalize(schema: Schema, inputs: Properties): Properties {
  return normalizeValue(schema, inputs) as Properties;
}

function normalizeValue(schema: Schema, value: unknown): unknown {
  if (value === UNKNOWN) return value;
  if (value === undefined || (value === null && !acceptsNull(schema))) return defaultOf(schema);
  const inner = innerSchema(schema);
  if (inner) return normalizeValue(inner, value);
  if (schema instanceof z.ZodObject && isObject(value)) return normalizeObject(schema, value);
  if (schema instanceof z.ZodRecord && isObject(value)) return normalizeRecord(schema, value);
  if (schema instanceof z.ZodArray && Array.isArray(value))
    return value.map((element) => (element === null ? null : normalizeValue(schema.element, element)));
  if (schema instanceof z.ZodUnion) {
    const option = schema.options.find((one) => z.safeParse(one, value).success);
    return option ? normalizeValue(option, value) : value;
  }
  return value;
}

function normalizeObject(schema: z.ZodObject, value: Properties): Properties {
  const properties = Object.entries(schema.shape as Record<string, Schema>).map(
    ([name, child]) => [name, normalizeValue(child, value[name])] as const,
  );
  return defined({ ...value, ...Object.fromEntries(properties) });
}

function normalizeRecord(schema: z.ZodRecord, value: Properties): Properties {
  return mapValues(value, (one) => (one === null ? null : normalizeValue(schema.valueType, one)));
}

function defaultOf(schema: Schema): unknown {
  if (schema instanceof z.ZodDefault) return schema.def.defaultValue;
  if (schema instanceof z.ZodPrefault) return normalizeValue(schema.def.innerType, schema.def.defaultValue);
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodLazy) {
    const inner = innerSchema(schema);
    return inner && defaultOf(inner);
  }
  return undefined;
}

function innerSchema(schema: Schema): Schema | undefined {
  if (schema instanceof z.ZodLazy) return schema.def.getter();
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  )
    return schema.def.innerType;
  return undefined;
}

function acceptsNull(schema: Schema): boolean {
  return z.safeParse(schema, null).success;
}

function mapValues(value: Properties, change: (one: unknown) => unknown): Properties {
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(one)]));
}

function defined(value: Properties): Properties {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}
