import { expect, test } from "vitest";
import { z } from "zod";
import { clusterSchema } from "../../../../components/config/schema";
import { configurationSchema } from "../../../../tools/reference/json-schema";
import type { Property } from "../../../../tools/reference/property";

const property = (path: string, description: string, children: Property[] = []): Property => ({
  ...{ path, type: "", description, required: false, secret: false, examples: [], children },
});

interface Schema {
  properties: { config: { properties: Record<string, unknown>; patternProperties: Record<string, unknown> } };
}

const SECTIONS = [
  property("workers", "The workers.", [property("count", "How many.")]),
  property("machines", "The machines.", [
    property("ssh", "Existing machines.", [
      property("ssh.hosts", "All hosts.", [{ ...property("ssh.hosts[].password", "The password."), secret: true }]),
    ]),
  ]),
];
const { config } = (JSON.parse(configurationSchema(SECTIONS)) as Schema).properties;

test("the sections are keys of the file, with the descriptions of their properties", () => {
  expect(config.properties["kubewright:workers"]).toMatchObject({
    description: "The workers.",
    properties: { count: { description: "How many.", type: "integer", minimum: 0 } },
  });
});

test("a secret may also be Pulumi's encrypted value", () => {
  expect(config.properties["kubewright:machines"]).toMatchObject({
    properties: { ssh: { properties: { hosts: { items: { properties: { password: { anyOf: [{}, {}] } } } } } } },
  });
});

test("an unknown section of Kubewright is wrong; a section of another package is not", () => {
  const [pattern = ""] = Object.keys(config.patternProperties);
  expect(["kubewright:worker", "kubewright:workers", "aws:region"].map((key) => new RegExp(pattern).test(key))).toEqual(
    [true, false, false],
  );
});

test("a value that is converted before it is checked may have either type", () => {
  const sections = JSON.parse(configurationSchema([property("machines", ""), property("auth", "")])) as {
    $defs: Record<string, { anyOf?: { type: string }[] }>;
  } & Schema;
  const uid = { anyOf: [{ type: "number" }, { type: "string" }] };
  expect(sections.properties.config.properties["kubewright:auth"]).toMatchObject({
    properties: { staticTokens: { items: { properties: { uid } } } },
  });
  const jump = Object.values(sections.$defs).find(({ anyOf }) => anyOf?.length === 2 && anyOf[1]?.type === "object");
  expect(jump?.anyOf?.[0]).toEqual({ type: "string" });
});

test("zod's schema of the configuration can be expressed", () => {
  expect(() => z.toJSONSchema(clusterSchema, { io: "input", unrepresentable: "any" })).not.toThrow();
});
