import { afterAll, beforeAll } from "vitest";
import { LanguageProjects, testLanguage } from "../../support/language-programs";

const projects = new LanguageProjects();
// The engine brings this host. `npm run e2e -- languages` builds those of the other languages.
beforeAll(() => projects.prepare({ path: [] }));
afterAll(() => projects.remove());

testLanguage("typescript", projects);
