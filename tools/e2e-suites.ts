import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";
import type { Step } from "./test-steps";

/** Chooses vitest projects and path filters. */
export function chooseSuites(names: readonly string[]): { steps: Step[]; filters: string[] } {
  if (names.includes("all")) return { steps: ["e2e", "e2e-extended"], filters: [] };
  if (names.length === 0) return { steps: ["e2e"], filters: [] };
  const filters = names.flatMap((name) => [`/e2e/${name}`, `/e2e/extended/${name}`]);
  const steps = (["e2e", "e2e-extended"] as const).filter((step) =>
    suitesOf(step).some((suite) => names.some((name) => suite.startsWith(name))),
  );
  return { steps: steps.length > 0 ? [...steps] : ["e2e"], filters };
}

const FOLDERS = { e2e: join("tests", "e2e"), "e2e-extended": join("tests", "e2e", "extended") };

/** Lists the suites of a vitest project by name. */
export function suitesOf(step: keyof typeof FOLDERS): string[] {
  const suffix = ".e2e.ts";
  return readdirSync(join(projectRoot(), FOLDERS[step]))
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
}
