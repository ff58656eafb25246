import { z } from "zod";
import { clusterSchema } from "../../components/config/schema";
import type { Property } from "./property";

export type Schema = Record<string, unknown>;

/**
 * The JSON schema of a stack's configuration file, `Pulumi.<stack>.yaml`, with which editors complete and check it.
 * @param sections the properties of the configuration, with their descriptions
 */
export function configurationSchema(sections: readonly Property[]): string {
  const { properties, $defs } = documentedSections(sections);
  const names = sections.map(({ path }) => path);
  const known = Object.fromEntries(Object.entries(properties).map(([path, schema]) => [`kubewright:${path}`, schema]));
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of a Kubewright cluster",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: known,
        // Sections of other packages, such as `aws:region`, are allowed.
        patternProperties: { [`^kubewright:(?!(${names.join("|")})$)`]: false },
      },
    },
    $defs,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The schemas of the sections, with their descriptions. */
export function documentedSections(sections: readonly Property[]): {
  properties: Record<string, Schema>;
  $defs: Record<string, Schema>;
} {
  const { properties = {}, $defs = {} } = zodSchema();
  const all = propertiesByPath(sections);
  const documented = sections.map((section) => [section.path, described(properties[section.path] ?? {}, section, all)]);
  return { properties: Object.fromEntries(documented) as Record<string, Schema>, $defs };
}

function zodSchema(): { properties?: Record<string, Schema>; $defs?: Record<string, Schema> } {
  const options = { io: "input", unrepresentable: "any", override: addAlternative } as const;
  return z.toJSONSchema(clusterSchema, options) as ReturnType<typeof zodSchema>;
}

/**
 * Adds the other type of a value that zod converts before it checks it: `meta({ alsoAccepts: "string" })`. zod's own
 * schema has only the result.
 */
function addAlternative({ jsonSchema }: { jsonSchema: Schema }): void {
  const { alsoAccepts, ...result } = jsonSchema;
  if (alsoAccepts === undefined) return;
  for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
  jsonSchema.anyOf = [{ type: alsoAccepts }, result];
}

type PropertiesByPath = ReadonlyMap<string, Property>;

function propertiesByPath(properties: readonly Property[]): Map<string, Property> {
  const entries = properties.flatMap((property): [string, Property][] => [
    [property.path, property],
    ...propertiesByPath(property.children),
  ]);
  return new Map(entries);
}

/** Adds the descriptions, and Pulumi's form of an encrypted value to secrets. */
function described(schema: Schema, property: Property, all: PropertiesByPath): Schema {
  const inner = withChildren(schema, childrenOf(property, all), all);
  const { description } = property;
  if (!property.secret) return { ...inner, ...(description === "" ? {} : { description }) };
  const encrypted = { type: "object", properties: { secure: { type: "string" } }, required: ["secure"] };
  return { anyOf: [inner, encrypted], description };
}

/** The reference lists the children of a schema that occurs again only once: at the path `sameAs`. */
function childrenOf({ children, sameAs }: Property, all: PropertiesByPath): readonly Property[] {
  if (sameAs === undefined) return children;
  return all.get(sameAs.replace(/(\[\]|\.<name>)+$/, ""))?.children ?? [];
}

/** Descends through lists and maps to the object that has the properties. */
function withChildren(schema: Schema, children: readonly Property[], all: PropertiesByPath): Schema {
  if (children.length === 0) return schema;
  if (isSchema(schema.items)) return { ...schema, items: withChildren(schema.items, children, all) };
  if (isSchema(schema.properties))
    return { ...schema, properties: describedProperties(schema.properties, children, all) };
  if (isSchema(schema.additionalProperties))
    return { ...schema, additionalProperties: withChildren(schema.additionalProperties, children, all) };
  return schema;
}

function describedProperties(properties: Schema, children: readonly Property[], all: PropertiesByPath): Schema {
  const property = (name: string) => children.find(({ path }) => path.split(".").at(-1) === name);
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      const documented = property(name);
      return [name, documented && isSchema(schema) ? described(schema, documented, all) : schema];
    }),
  );
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}
