import { expect, test } from "vitest";
import { z } from "zod";
import { normalize } from "../../../../provider/rpc/normalize";
import { UNKNOWN } from "../../../../provider/rpc/values";

const schema = z.strictObject({
  port: z.int().default(22),
  user: z.string().optional(),
  drain: z.strictObject({ timeout: z.number().default(300), force: z.boolean().default(false) }).prefault({}),
  files: z.record(z.string(), z.strictObject({ content: z.string(), mode: z.string().default("0644") })).optional(),
  taints: z.array(z.strictObject({ key: z.string(), effect: z.string().default("NoSchedule") })).optional(),
  patch: z.record(z.string(), z.unknown()).optional(),
  way: z
    .union([z.strictObject({ a: z.string(), n: z.int().default(1) }), z.strictObject({ b: z.string() })])
    .optional(),
});

test("absent properties get their defaults, however deep", () => {
  expect(normalize(schema, {})).toEqual({ port: 22, drain: { timeout: 300, force: false } });
  const given = { drain: { force: true }, files: { "/a": { content: "x" } }, taints: [{ key: "k" }], way: { a: "x" } };
  expect(normalize(schema, given)).toEqual({
    port: 22,
    drain: { timeout: 300, force: true },
    files: { "/a": { content: "x", mode: "0644" } },
    taints: [{ key: "k", effect: "NoSchedule" }],
    way: { a: "x", n: 1 },
  });
});

test("unknown values and properties without a schema stay", () => {
  expect(normalize(schema, { port: UNKNOWN, drain: UNKNOWN, other: 1 })).toEqual({
    port: UNKNOWN,
    drain: UNKNOWN,
    other: 1,
  });
});

test("null means absent where the schema knows no null, and is a value where it does", () => {
  const patch = { spec: { replicas: null }, gone: null };
  expect(normalize(schema, { port: null, user: null, patch })).toMatchObject({ port: 22, patch });
  expect(normalize(schema, { user: null })).not.toHaveProperty("user");
});

test("null in an array or a map stays, for the schema to reject", () => {
  expect(normalize(schema, { taints: [null], files: { "/a": null } })).toMatchObject({
    taints: [null],
    files: { "/a": null },
  });
});
