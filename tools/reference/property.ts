import { z } from "zod";
import { isSecret } from "../../contracts/secret";
import type { DocumentedType } from "./documented-type";

/** One property of a configuration section or of a resource, as the reference describes it. */
export interface Property {
  /** Path within its section: `flannel.backend`, `hosts[].name`, `nodes.<name>.labels`. */
  path: string;
  /** Type in the reader's words: `integer, 1 to 100`, `"host-gw" or "vxlan"`. */
  type: string;
  description: string;
  required: boolean;
  /** Default as JSON, or the text of the `@default` tag where the default depends on something. */
  default?: string;
  secret: boolean;
  /** Bodies of `@example` tags. */
  examples: string[];
  /** Properties of an object, of a list's elements or of a map's values. */
  children: Property[];
  /** Path of the property whose schema this one shares; its children are listed there only. */
  sameAs?: string;
}

/** A schema without the wrappers that make it optional or give it a default. */
interface Unwrapped {
  schema: z.core.$ZodType;
  required: boolean;
  defaultValue?: unknown;
}

/**
 * Where each object schema was first described: a schema that occurs again, also within itself, refers to that place.
 */
type Described = Map<z.core.$ZodType, string>;

/**
 * Lists the properties of an object schema: shapes, types and defaults come from zod, descriptions from the JSDoc
 * comments of the properties.
 *
 * @param documented The type of the same schema, from `Documentation.schemaType`.
 * @param shared Schemas that are described elsewhere, with the heading that describes them.
 * @throws Error if the `@default` tag of a property contradicts the default of the schema.
 */
export function propertiesOf(
  schema: z.core.$ZodType,
  documented: DocumentedType,
  base = "",
  shared: ReadonlyMap<z.core.$ZodType, string> = new Map(),
): Property[] {
  return childrenOf(unwrap(schema).schema, documented, base, "", new Map(shared));
}

function childrenOf(
  schema: z.core.$ZodType,
  documented: DocumentedType,
  base: string,
  prefix: string,
  described: Described,
): Property[] {
  if (!(schema instanceof z.ZodObject)) return [];
  described.set(schema, `${base}${prefix}`.replace(/\.$/, ""));
  return Object.entries(schema.shape).map(([name, field]) =>
    propertyOf(field as z.core.$ZodType, documented.property(name), base, `${prefix}${name}`, described),
  );
}

function propertyOf(
  field: z.core.$ZodType,
  documented: DocumentedType,
  base: string,
  path: string,
  described: Described,
): Property {
  const { schema, required, defaultValue } = unwrap(field);
  const fallback = defaultOf(`${base}${path}`, defaultValue ?? metaOf(field).default, documented.tag("default"));
  const element = elementOf(schema, documented);
  const sameAs = described.get(element.schema);
  return {
    path,
    type: typeText(schema),
    description: documented.description,
    required: required && fallback === undefined,
    ...(fallback === undefined ? {} : { default: fallback }),
    secret: isSecret(field) || metaOf(field).secret === true || metaOf(schema).secret === true,
    examples: documented.tags("example"),
    ...(sameAs === undefined ? {} : { sameAs }),
    children:
      sameAs === undefined
        ? childrenOf(element.schema, element.documented, base, `${path}${element.suffix}.`, described)
        : [],
  };
}

/** Descends through lists and maps to the schema that has properties. */
function elementOf(schema: z.core.$ZodType, documented: DocumentedType, suffix = ""): Element {
  if (schema instanceof z.ZodArray)
    return elementOf(unwrap(schema.element).schema, documented.element(), `${suffix}[]`);
  if (schema instanceof z.ZodRecord)
    return elementOf(unwrap(schema.valueType).schema, documented.element(), `${suffix}.<name>`);
  return { schema, documented, suffix };
}

interface Element {
  schema: z.core.$ZodType;
  documented: DocumentedType;
  suffix: string;
}

function unwrap(field: z.core.$ZodType): Unwrapped {
  if (field instanceof z.ZodOptional || field instanceof z.ZodExactOptional || field instanceof z.ZodNullable)
    return { ...unwrap(field.unwrap()), required: false };
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) {
    const { schema } = unwrap(field.unwrap());
    return { schema, required: false, defaultValue: field.def.defaultValue };
  }
  if (field instanceof z.ZodReadonly) return unwrap(field.unwrap());
  if (field instanceof z.ZodPipe && !(field.in instanceof z.ZodTransform)) return unwrap(field.in);
  return { schema: field, required: true };
}

/**
 * The schema's default, or else the tag's text. An object that is filled by the defaults of its properties has none
 * of its own.
 */
function defaultOf(path: string, value: unknown, tag: string | undefined): string | undefined {
  if (value === undefined) return tag;
  const text = JSON.stringify(value);
  if (tag !== undefined && tag !== text && tag !== value)
    throw new Error(`${path}: the schema's default is ${text}, but its @default tag says ${tag}; correct the tag`);
  return text === "{}" || text === "[]" ? undefined : text;
}

/** The reader's words for a schema. `meta({ format: "IPv4 CIDR" })` on a schema overrides them. */
function typeText(schema: z.core.$ZodType): string {
  const { format } = metaOf(schema);
  if (typeof format === "string") return format;
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => JSON.stringify(option)).join(" or ");
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => JSON.stringify(value)).join(" or ");
  if (schema instanceof z.ZodNumber) return numberText(schema);
  if (schema instanceof z.ZodString) return "string";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodArray) return `list of ${typeText(unwrap(schema.element).schema)}`;
  if (schema instanceof z.ZodRecord) return `map of ${typeText(unwrap(schema.valueType).schema)}`;
  if (schema instanceof z.ZodUnion) {
    const options = schema.options.map((option) => typeText(unwrap(option).schema));
    return [...new Set(options)].join(" or ");
  }
  if (schema instanceof z.ZodObject) return "object";
  if (schema instanceof z.ZodUnknown || schema instanceof z.ZodAny) return "any value";
  return "string";
}

function numberText(schema: z.ZodNumber): string {
  const name = schema.isInt ? "integer" : "number";
  const { minimum, exclusiveMinimum, maximum } = z.toJSONSchema(schema);
  const isExclusive = typeof exclusiveMinimum === "number";
  if (isExclusive && !schema.isInt) return `${name}, more than ${exclusiveMinimum}`;
  const lowest = isExclusive ? exclusiveMinimum + 1 : minimum;
  const [least, most] = [lowest, maximum].map((bound) =>
    bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound,
  );
  if (least !== undefined && most !== undefined) return `${name}, ${least} to ${most}`;
  if (least !== undefined) return `${name}, ${least} or more`;
  return most === undefined ? name : `${name}, ${most} or less`;
}

function metaOf(schema: z.core.$ZodType): Record<string, unknown> {
  return z.globalRegistry.get(schema) ?? {};
}
