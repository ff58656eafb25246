import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../../common/project-root";
import { RUNGS, reaches } from "../../../../render/rung";
import { LOOKS } from "../../../../cli/nodes/ladder-checks";

test("every rung has something to look at, and every file that is named is there", () => {
  for (const rung of RUNGS) expect(LOOKS[rung].length, rung).toBeGreaterThan(0);
  const files = RUNGS.flatMap((rung) => LOOKS[rung]).flatMap(
    ({ command }) => command.match(/examples\/\S+\.yaml/g) ?? [],
  );
  expect(new Set(files).size).toBe(4);
  for (const file of files) expect(existsSync(join(projectRoot(), file)), file).toBe(true);
});

test("kubectl is not asked for where there is no API", () => {
  for (const rung of RUNGS.filter((one) => !reaches(one, "apiserver")))
    expect(LOOKS[rung].map(({ where }) => where)).not.toContain("here");
});
