import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { projectRoot } from "../../../../common/project-root";
import { secret } from "../../../../contracts/secret";
import { Documentation } from "../../../../tools/reference/documented-type";
import { outputTable, propertyTable } from "../../../../tools/reference/markdown";
import { type Property, propertiesOf } from "../../../../tools/reference/property";

const folder = mkdtempSync(join(projectRoot(), "node_modules", ".reference-test-"));
const file = join(folder, "schema.ts");
writeFileSync(
  file,
  `import { z } from "zod";
const item = z.strictObject({
  /** Name of the item. */
  name: z.string(),
});
export const schema = z.strictObject({
  /**
   * Seconds until the item
   * must be ready.
   * @default 60
   * @example wait: 90
   */
  wait: z.int().min(1).default(60),
  /** Items by name. @default depends on the weather */
  items: z.record(z.string(), item).optional(),
  /** More items. */
  more: z.array(item).default([]),
  mode: z.enum(["fast", "slow"]),
});
export const contract = { inputs: schema };
`,
);
const documentation = new Documentation([file]);
afterAll(() => rmSync(folder, { recursive: true }));

const item = z.strictObject({ name: z.string() });
const shape = {
  wait: z.int().min(1).default(60),
  items: z.record(z.string(), item).optional(),
  more: z.array(item).default([]),
  mode: z.enum(["fast", "slow"]),
};

function property(path: string, schema = z.strictObject(shape)): Property | undefined {
  const all = (properties: Property[]): Property[] => properties.flatMap((each) => [each, ...all(each.children)]);
  return all(propertiesOf(schema, documentation.schemaType(file, "schema"))).find((each) => each.path === path);
}

describe("propertiesOf", () => {
  test("takes types and defaults from the schema, and descriptions and tags from comments", () => {
    expect(property("wait")).toMatchObject({
      type: "integer, 1 or more",
      default: "60",
      required: false,
      description: "Seconds until the item must be ready.",
      examples: ["wait: 90"],
    });
    expect(property("mode")).toMatchObject({ type: '"fast" or "slow"', required: true, description: "" });
    expect(property("items")).toMatchObject({ type: "map of object", default: "depends on the weather" });
  });

  test("descends into lists and maps, and describes a shared schema once", () => {
    expect(property("items.<name>.name")?.description).toBe("Name of the item.");
    expect(property("more")).toMatchObject({ sameAs: "items.<name>", children: [] });
  });

  test("marks secrets, and names the least value of a number", () => {
    const types = z.strictObject({
      wait: secret(z.int().positive()),
      items: z.number().positive().optional(),
      more: z.union([z.ipv4(), z.ipv6()]),
      mode: z.int(),
    });
    expect(
      propertiesOf(types, documentation.schemaType(file, "contract")).map(({ type, secret: is }) => [type, is]),
    ).toEqual([
      ["integer, 1 or more", true],
      ["number, more than 0", false],
      ["string", false],
      ["integer", false],
    ]);
  });

  test("refers to a schema that is described elsewhere", () => {
    const shared = new Map([[item, "Item"]]);
    const [, items] = propertiesOf(z.strictObject(shape), documentation.schemaType(file, "schema"), "", shared);
    expect(items).toMatchObject({ path: "items", sameAs: "Item", children: [] });
  });

  test("refuses a @default tag that the schema contradicts", () => {
    const other = z.strictObject({ ...shape, wait: z.int().min(1).default(90) });
    expect(() => property("wait", other)).toThrow("wait: the schema's default is 90, but its @default tag says 60");
  });

  test("finds a schema inside an exported object", () => {
    const type = documentation.schemaType(file, "contract", ["inputs"]);
    expect(type.property("wait").description).toContain("Seconds");
  });

  test("names the file and the export that it misses", () => {
    expect(() => documentation.schemaType(file, "nothing")).toThrow(`${file} exports no nothing`);
  });
});

test("a table has one row for each property; secrets and shared properties are marked", () => {
  const plain = { required: false, secret: false, examples: [], children: [] };
  const rows = propertyTable([
    { ...plain, path: "token", type: "string", description: "Bearer token.", secret: true, required: true },
    { ...plain, path: "pools", type: "map of object", description: "Pools.", sameAs: "workers", default: '"a|b"' },
  ]);
  expect(rows.split("\n").slice(2)).toEqual([
    "| `token` | string | required | Bearer token. Secret. |",
    "| `pools` | map of object | `a\\|b` | Pools. Properties: those of `workers`. |",
  ]);
});

test("a table of outputs has no defaults", () => {
  const output = { path: "key", type: "string", description: "Key.", secret: true, required: true };
  const rows = outputTable([{ ...output, examples: [], children: [] }]).split("\n");
  expect(rows).toEqual([
    "| Property | Type | Description |",
    "| --- | --- | --- |",
    "| `key` | string | Key. Secret. |",
  ]);
});
