import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import { referencePages } from "./pages";

for (const [path, text] of Object.entries(referencePages())) {
  writeFileSync(join(projectRoot(), path), text);
  process.stdout.write(`wrote ${path}\n`);
}
