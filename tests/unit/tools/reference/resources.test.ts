import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../../common/project-root";
import { contractGroups } from "../../../../tools/reference/contracts";
import { Documentation } from "../../../../tools/reference/documented-type";
import type { Property } from "../../../../tools/reference/property";
import { CONTRACT_MODULES, contractProperties } from "../../../../tools/reference/resources";

/** Compiling the sources takes seconds. */
const COMPILE_MS = 60_000;
const contracts = contractGroups().flatMap(([, group]) => group);

test("every contract is in the reference", () => {
  const folder = join(projectRoot(), "contracts");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const declared = files.flatMap((name) =>
    [...readFileSync(join(folder, name), "utf8").matchAll(/^ {2}type: "(kubewright:[^"]+)"/gm)].map(([, type]) => type),
  );
  expect(declared.length).toBeGreaterThan(30);
  expect(contracts.map(({ contract }) => contract.type).sort()).toEqual(declared.sort());
});

test(
  "every resource and every property of it has a description",
  () => {
    const documentation = new Documentation(CONTRACT_MODULES);
    const undescribed = (properties: Property[]): string[] =>
      properties.flatMap(({ path, description, children }) => [
        ...(description === "" ? [path] : []),
        ...undescribed(children),
      ]);
    const missing = contracts.flatMap((declared) => {
      const { inputs, outputs } = contractProperties(documentation, declared);
      const description = documentation.declaration(declared.file, declared.name).description;
      return [...(description === "" ? [""] : []), ...undescribed([...inputs, ...outputs])].map(
        (path) => `${declared.contract.type} ${path}`,
      );
    });
    expect(missing).toEqual([]);
  },
  COMPILE_MS,
);
