import { isDeepStrictEqual } from "node:util";
import { fc } from "../../../support/fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "../../../../contracts/contract";
import { register } from "../../../../provider/rpc/handler";
import { SecretPaths, UNKNOWN, decode, encode, type Path } from "../../../../provider/rpc/values";
import { testContext } from "../../../support/context";
import { MemoryEngine, type Json } from "../../../support/memory-engine";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const isSecret = (value: object) => (value as Json)[SIGNATURE] === SECRET;

/** Keys of maps, among them paths, indexes, and names that formatted paths escape. */
const keys = fc.oneof(
  fc.constantFrom("a", "b", "0", "/etc/x", 'a"b', "a.b", "a[0]", "", "value", "constructor", "ä"),
  fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
);
const scalars = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1.5, 1e15, "", "x", "null", "\u0000", "😀", " "),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** Values as on the wire: nested maps and lists, with nulls, and with secrets and unknown values if wanted. */
function wireValues(leaves: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<Json> {
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.oneof(scalars, ...leaves),
      fc.array(tie("node"), { maxLength: 4 }),
      fc.dictionary(keys, tie("node"), { maxKeys: 4, noNullPrototype: true }),
      // A secret inside of another one is part of that one.
      tie("node")
        .filter((value) => !hasSecret(value))
        .map((value) => ({ [SIGNATURE]: SECRET, value })),
    ),
  }));
  return fc.dictionary(keys, node, { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Json>;
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return isSecret(value) || Object.values(value).some(hasSecret);
}

/** The value as a handler gets it. */
function plain(value: unknown): unknown {
  if (value === UNKNOWN_STRING) return UNKNOWN;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return plain((value as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const unknownValues = fc.constant(UNKNOWN_STRING);

test("every value survives decode and encode: null, secrets and unknown values, in maps and in lists", () => {
  fc.assert(
    fc.property(wireValues([unknownValues]), (wire) => {
      const secrets = new SecretPaths();
      const decoded = decode(encode(wire), secrets);
      expect(decoded).toEqual(plain(wire));
      expect(encode(decoded, secrets).toJavaScript()).toEqual(wire);
    }),
  );
});

/** Large values. The operations convert a value some thirty times, so that they get smaller ones. */
function large(entries: number): Record<string, unknown> {
  const numbers = Array.from({ length: entries }, (_, index) => index);
  return {
    "a text of 1 MiB": "ä\n".repeat(1 << 19),
    "a map of many entries": Object.fromEntries(numbers.map((index) => [`key-${index}`, index])),
    "a list of many entries": numbers.map((index) => (index % 2 ? index : null)),
  };
}

test.each(Object.entries(large(10_000)))("%s survives decode and encode as a secret", (_name, value) => {
  const wire = { large: { [SIGNATURE]: SECRET, value } } as Json;
  const secrets = new SecretPaths();
  const decoded = decode(encode(wire), secrets);
  expect(isDeepStrictEqual(decoded, { large: value })).toBe(true);
  expect(isDeepStrictEqual(encode(decoded, secrets).toJavaScript(), wire)).toBe(true);
});

test("an output value with a secret is a secret", () => {
  const secrets = new SecretPaths();
  const wire = { a: { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: "hush", secret: true } };
  expect(decode(encode(wire), secrets)).toEqual({ a: "hush" });
  expect(secrets.has(["a"] satisfies Path)).toBe(true);
});

const contract = defineContract({
  type: "kubewright:test:Any",
  inputs: z.strictObject({ data: z.record(z.string(), z.unknown()), port: z.int().default(22) }),
  outputs: z.object({ result: z.unknown() }),
});

/** A resource of any data, which records what each operation gets. */
function anything() {
  const seen: [operation: string, data: unknown][] = [];
  let fails = false;
  const note = (operation: string, data: unknown) => void seen.push([operation, data]);
  const handler = register<typeof contract>({
    contract,
    create: async (context, { data }) => {
      note("create", data);
      context.begin("1", { result: data });
      if (fails) throw new Error("disk full");
      return { id: "1", outputs: { result: data } };
    },
    update: async (context, _id, { data }) => {
      note("update", data);
      context.begin();
      return { result: data };
    },
    read: async (_context, _id, old) => {
      note("read", old.inputs.data);
      return old;
    },
    delete: async (_context, _id, { inputs }) => note("delete", inputs.data),
  });
  return { seen, handler, fail: (value: boolean) => (fails = value) };
}

const context = testContext();

/** Runs all operations of a resource with the data, the first create failing. */
async function runAll(data: Json) {
  const { seen, handler, fail } = anything();
  const engine = new MemoryEngine(handler, () => context);
  fail(true);
  await engine.up({ data }).catch(() => undefined);
  await engine.refresh();
  fail(false);
  expect(await engine.up({ data })).toEqual(["update"]);
  await engine.refresh();
  expect(await engine.up({ data })).toEqual([]);
  const { inputs, outputs } = engine.state!;
  await engine.destroy();
  return { seen, inputs, outputs };
}

describe("every value survives all operations", () => {
  /** Compares faster than `toEqual`, which matters for large values. */
  const isSame = (one: unknown, other: unknown) => expect(isDeepStrictEqual(one, other)).toBe(true);
  const check = async (data: Json) => {
    const { seen, inputs, outputs } = await runAll(data);
    isSame(inputs, { data, port: 22 });
    isSame({ data: outputs.data, port: outputs.port }, { data, port: 22 });
    expect(seen.map(([operation]) => operation)).toEqual(["create", "read", "update", "read", "delete"]);
    for (const [, value] of seen) isSame(value, plain(data));
  };

  test("null and secrets", async () => {
    await fc.assert(fc.asyncProperty(wireValues([]), check), { numRuns: 30 });
  });

  test.each(Object.entries(large(1_000)))("a secret: %s", async (_name, value) => {
    await check({ large: { [SIGNATURE]: SECRET, value: value as Json } });
  });

  test("unknown values, at preview", async () => {
    const preview = async (data: Json) => {
      const { handler } = anything();
      const engine = new MemoryEngine(handler, () => context);
      await engine.preview({ data });
      const last = engine.received.at(-1) as unknown as { getProperties(): { toJavaScript(): Json } };
      expect(last.getProperties().toJavaScript()).toEqual({ data, port: 22, result: UNKNOWN_STRING });
    };
    await fc.assert(fc.asyncProperty(wireValues([unknownValues]), preview), { numRuns: 30 });
  });
});
