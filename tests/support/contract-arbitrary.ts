import { fc } from "./fast-check";
import { z } from "zod";
import { isSecret } from "../../contracts/secret";

type Schema = z.core.$ZodType;

/** Begins every value that is generated for a secret property. */
export const SECRET_MARK = "hush-";

/** Texts of which at least one is valid for each text property of the contracts. */
const TEXTS = [
  "a",
  "worker-1",
  "a".repeat(64),
  "/etc/a.conf",
  "/var/lib/a",
  "0644",
  "a.service",
  "registry.k8s.io/pause:3.10",
  "net.ipv4.ip_forward",
  "6443/tcp",
  "10.244.0.0/16",
  "10.0.0.1",
  "fd00::/64",
  "ssh-ed25519 AAAA",
  "official",
];

/**
 * Generates values of a schema, with absent properties among them. Every secret begins with `SECRET_MARK`.
 * @throws Error if the schema has a text for which `TEXTS` has no valid value
 */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (isSecret(schema) && schema instanceof z.ZodRecord) return secretDictionariesOf(schema);
  // A list of keys is a secret as a whole, with a secret in each of its elements.
  if (isSecret(schema) && !(schema instanceof z.ZodArray)) return secretText();
  if (schema instanceof z.ZodOptional) return fc.option(valuesOf(schema.unwrap()), { nil: undefined });
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return valuesOf(schema.unwrap());
  if (schema instanceof z.ZodObject) return objectsOf(schema);
  if (schema instanceof z.ZodRecord) return dictionariesOf(schema);
  if (schema instanceof z.ZodArray) return fc.array(valuesOf(schema.element), { minLength: 1, maxLength: 2 });
  if (schema instanceof z.ZodUnion) return fc.oneof(...schema.options.map(valuesOf));
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral) return oneOf(schema, [...valuesIn(schema)]);
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodNumber) return oneOf(schema, [0, 1, 22, 128, 365, 6443, 30_000]);
  if (schema instanceof z.ZodUnknown) return fc.jsonValue({ maxDepth: 1, noUnicodeString: true });
  if (isInSecret && z.safeParse(schema, SECRET_MARK).success) return secretText();
  return oneOf(schema, TEXTS);
}

const secretText = () => fc.uuid().map((uuid) => `${SECRET_MARK}${uuid}`);

/** Generates inputs that a contract accepts. */
export function inputsOf(contract: { inputs: z.ZodObject }): fc.Arbitrary<Record<string, unknown>> {
  return valuesOf(contract.inputs).filter((value) => contract.inputs.safeParse(value).success) as never;
}

/** Jump hosts contain jump hosts: deeper ones are left out. */
const DEEPEST = 3;
let depth = 0;

function objectsOf(schema: z.ZodObject): fc.Arbitrary<unknown> {
  depth++;
  try {
    const properties = Object.entries(schema.shape as Record<string, Schema>).filter(
      ([, child]) => depth < DEEPEST || !(child instanceof z.ZodOptional && child.unwrap() instanceof z.ZodObject),
    );
    const values = Object.fromEntries(properties.map(([name, child]) => [name, valuesOf(child)]));
    return fc.record(values).map((value) => defined(value));
  } finally {
    depth--;
  }
}

/** Whether the values belong to a dictionary that is a secret as a whole: each text that may have any value is one. */
let isInSecret = false;

function secretDictionariesOf(schema: z.ZodRecord): fc.Arbitrary<unknown> {
  isInSecret = true;
  try {
    return dictionariesOf(schema);
  } finally {
    isInSecret = false;
  }
}

function dictionariesOf(schema: z.ZodRecord): fc.Arbitrary<unknown> {
  return fc.dictionary(valuesOf(schema.keyType) as fc.Arbitrary<string>, valuesOf(schema.valueType), {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  });
}

function* valuesIn(schema: z.ZodEnum | z.ZodLiteral): Iterable<unknown> {
  yield* schema instanceof z.ZodEnum ? schema.options : schema.values;
}

function oneOf(schema: Schema, candidates: readonly unknown[]): fc.Arbitrary<unknown> {
  const valid = candidates.filter((candidate) => z.safeParse(schema, candidate).success);
  if (valid.length === 0) throw new Error(`no candidate is valid for a ${schema._zod.def.type}: add one`);
  return fc.constantFrom(...valid);
}

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}
