import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../../common/project-root";
import { CONFIGURATION_SCHEMA, configurationProperties } from "../../../../tools/reference/configuration";
import { Documentation } from "../../../../tools/reference/documented-type";
import { referencePages } from "../../../../tools/reference/pages";

import type { Property } from "../../../../tools/reference/property";

/** Making a TypeScript program of the sources takes seconds. */
const COMPILE_MS = 60_000;

test(
  "the generated reference is current: run `npm run docs:reference` after a change of a schema",
  () => {
    for (const [path, text] of Object.entries(referencePages()))
      expect(readFileSync(join(projectRoot(), path), "utf8"), path).toBe(text);
  },
  COMPILE_MS,
);

test(
  "every property of the configuration has a description",
  () => {
    const documentation = new Documentation([CONFIGURATION_SCHEMA]);
    const undescribed = (properties: Property[]): string[] =>
      properties.flatMap(({ path, description, children }) => [
        ...(description === "" ? [path] : []),
        ...undescribed(children),
      ]);
    expect(undescribed(configurationProperties(documentation))).toEqual([]);
  },
  COMPILE_MS,
);
