import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../../common/project-root";
import { RUNGS, reaches } from "../../../../render/rung";
import { RUNG_CHECKS } from "../../../../cli/nodes/ladder-checks";

test("every rung has checks, and every file that they name exists", () => {
  for (const rung of RUNGS) expect(RUNG_CHECKS[rung].length, rung).toBeGreaterThan(0);
  const files = RUNGS.flatMap((rung) => RUNG_CHECKS[rung]).flatMap(
    ({ command }) => command.match(/examples\/\S+\.yaml/g) ?? [],
  );
  expect(new Set(files).size).toBe(4);
  for (const file of files) expect(existsSync(join(projectRoot(), file)), file).toBe(true);
});

test("no check needs kubectl on a rung without an API server", () => {
  for (const rung of RUNGS.filter((one) => !reaches(one, "apiserver")))
    expect(RUNG_CHECKS[rung].map(({ where }) => where)).not.toContain("here");
});
