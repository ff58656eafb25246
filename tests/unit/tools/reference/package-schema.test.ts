import { describe, expect, test } from "vitest";
import schema from "../../../../provider/schema.json";

/** The schema is generated: tests/unit/tools/reference/pages.test.ts proves that it is current. */
interface ObjectSchema {
  properties: Record<string, Record<string, unknown>>;
  required?: string[];
}
interface ResourceSchema extends ObjectSchema {
  inputProperties: ObjectSchema["properties"];
  requiredInputs?: string[];
}

const types = schema.types as Record<string, ObjectSchema>;
const resources = schema.resources as Record<string, ResourceSchema>;
const nameOf = (token: string) => token.split(":").at(-1) ?? "";
const typeNames = Object.keys(types).map(nameOf);
const typeOf = (name: string) => types[`kubewright:components:${name}`];
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every object of the schema with the names of its properties. */
const objects = [
  ...Object.entries(types).map(([token, { properties }]) => ({ name: nameOf(token), properties })),
  ...Object.entries(resources).flatMap(([token, { inputProperties, properties }]) => [
    { name: nameOf(token), properties: inputProperties },
    { name: nameOf(token), properties },
  ]),
].map(({ name, properties }) => ({ name, properties: Object.keys(properties) }));

/** Words that are reserved in C#, Go, Java or Python, or that every resource has as a property. */
const RESERVED = new Set(
  `abstract base break case chan class const continue def default del else enum event except final finally for from
   func global goto id if import in interface internal is lambda lock map namespace native new object operator out
   package params pass private protected public range ref return select static string struct super switch this throw
   type urn var void while with yield`.split(/\s+/),
);

describe("names in every language", () => {
  test("no two files or classes have the same name on any file system", () => {
    const names = [...typeNames, ...Object.keys(resources).map(nameOf)].map((name) => name.toLowerCase());
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    // Go's generator writes init.go into each folder; the provider is a resource, too.
    expect(names.filter((name) => ["init", "provider", "utilities", "index"].includes(name))).toEqual([]);
  });

  test("no type has the name of a type that a generator adds for another one", () => {
    const all = new Set([...typeNames, ...Object.keys(resources).map(nameOf)]);
    const added = [...all].flatMap((name) =>
      ["Args", "Array", "Input", "Map", "Output", "Ptr", "Result", "State"].map((suffix) => name + suffix),
    );
    expect(added.filter((name) => all.has(name))).toEqual([]);
  });

  test("types are named by what they contain", () => {
    expect(typeNames.filter((name) => /schema\d/i.test(name))).toEqual([]);
  });

  test.each(objects)("the properties of $name are identifiers, and differ in each spelling", ({ name, properties }) => {
    expect(properties.filter((property) => !/^[a-z][A-Za-z0-9]*$/.test(property))).toEqual([]);
    expect(properties.filter((property) => RESERVED.has(property))).toEqual([]);
    expect(new Set(properties.map(snakeCase)).size).toBe(properties.length);
    // C# has no member with the name of its class.
    expect(properties.map(capitalized)).not.toContain(name);
  });
});

describe("types", () => {
  test("a property without which an object is refused is required", () => {
    expect(typeOf("ConfigurationMachinesSshHosts")?.required).toEqual(["name", "host", "role"]);
    expect(typeOf("ConfigurationBackup")?.required).toEqual(["repository", "password"]);
    expect(typeOf("Configuration")?.required).toBeUndefined();
  });

  test("required properties exist", () => {
    for (const [token, { required = [], properties }] of Object.entries(types))
      expect(Object.keys(properties), token).toEqual(expect.arrayContaining(required));
    for (const [token, { requiredInputs = [], inputProperties }] of Object.entries(resources))
      expect(Object.keys(inputProperties), token).toEqual(expect.arrayContaining(requiredInputs));
  });

  test("the settings of a cluster have types, so that an SDK knows their names", () => {
    const { inputProperties = {} } = resources["kubewright:components:Cluster"] ?? {};
    const settings = ["controlPlane", "security", "network", "timeouts", "drain", "components"];
    for (const name of settings)
      expect(inputProperties[name], name).toHaveProperty("$ref", expect.stringMatching(/^#/));
    expect(typeOf("Pool")?.properties.settings).toHaveProperty("$ref", "#/types/kubewright:components:NodeSettings");
    expect(typeOf("NodeSettings")?.properties.kubelet).toHaveProperty("$ref", expect.stringMatching(/^#/));
  });

  test("a value that may be a text or an object has no type", () => {
    const any = { $ref: "pulumi.json#/Any" };
    expect(typeOf("ConfigurationMachinesSshHosts")?.properties.jump).toMatchObject(any);
    expect(typeOf("ConfigurationPoolsValueHosts")?.properties.jump).toMatchObject(any);
  });

  test("every reference leads to a type of the package", () => {
    const references = [...JSON.stringify(schema).matchAll(/"#\/types\/([^"]+)"/g)].map(([, token]) => token);
    expect(references.filter((token) => !types[String(token)])).toEqual([]);
  });

  test("all properties have descriptions", () => {
    const undescribed = (properties: ObjectSchema["properties"]) =>
      Object.entries(properties).filter(([, { description }]) => typeof description !== "string");
    for (const [token, { properties }] of Object.entries(types)) expect(undescribed(properties), token).toEqual([]);
    for (const [token, { inputProperties, properties }] of Object.entries(resources))
      expect([...undescribed(inputProperties), ...undescribed(properties)], token).toEqual([]);
  });
});

describe("SDKs", () => {
  test("each language's SDK has the version of the package, which names the provider", () => {
    const { nodejs, python, go, csharp } = schema.language;
    for (const language of [nodejs, python, go, csharp]) expect(language).toMatchObject({ respectSchemaVersion: true });
    expect(schema.meta).toMatchObject({ supportPack: true });
  });

  test("an SDK can be installed: it has the files that the language's package manager reads", () => {
    const { nodejs, python, go, java } = schema.language;
    expect(python.pyproject).toEqual({ enabled: true });
    expect(java.buildFiles).toBe("gradle");
    expect(nodejs.packageName).toBe("@kubewright/sdk"); // the package `kubewright` of npm is the library
    expect(go.importBasePath).toBe("github.com/kubewright/kubewright/sdk/go/kubewright");
    expect(go.generateExtraInputTypes).toBe(true); // `npm run e2e -- sdks` compiles it
  });
});
