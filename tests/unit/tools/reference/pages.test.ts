import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../../common/project-root";
import { referencePages } from "../../../../tools/reference/pages";

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
