import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { buildLanguageHosts, createVirtualEnvironment } from "../../support/language-hosts";
import { testLanguages } from "../../support/language-programs";

const folder = mkdtempSync(join(tmpdir(), "kubewright-venv-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

testLanguages(["python", "yaml"], async () => {
  const [hosts, environment] = await Promise.all([buildLanguageHosts(), createVirtualEnvironment(folder)]);
  // The built host of Python takes the interpreter from PATH, the official one from the project.
  return { path: [hosts, join(environment, "bin")], venv: environment };
});
