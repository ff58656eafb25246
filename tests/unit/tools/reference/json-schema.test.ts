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

test("zod's schema of the configuration can be expressed", () => {
  expect(() => z.toJSONSchema(clusterSchema, { io: "input", unrepresentable: "any" })).not.toThrow();
});
