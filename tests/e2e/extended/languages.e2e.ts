import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { output } from "../../../common/process";
import { buildLanguageHosts, createVirtualEnvironment } from "../../support/language-hosts";
import { LanguageProjects, testLanguage } from "../../support/language-programs";

const projects = new LanguageProjects();
/** Folders of the projects whose clusters exist. */
const created = new Set<string>();

beforeAll(async () => {
  const [hosts, venv] = await Promise.all([buildLanguageHosts(), createVirtualEnvironment(projects.root)]);
  // The built host of Python takes the interpreter from PATH, the official one from the project.
  await projects.prepare({ path: [hosts, join(venv, "bin")], venv });
});

afterAll(async () => {
  for (const folder of created) await destroy(folder);
  projects.remove();
});

async function destroy(folder: string): Promise<void> {
  await projects.pulumi(folder, "destroy", "--yes", "--skip-preview", "--non-interactive");
  created.delete(folder);
}

for (const language of ["python", "yaml"]) {
  testLanguage(language, projects);

  test(`a program in ${language} creates a cluster, changes nothing the second time, and removes it`, async () => {
    const folder = await projects.create(language, `e2e-${language}`);
    const pulumi = async (...args: string[]) => await projects.pulumi(folder, ...args);
    await pulumi("config", "set", "--path", "kubewright:workers.count", "1");
    created.add(folder);
    await pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const outputs = JSON.parse(await pulumi("stack", "output", "--json")) as Record<string, string>;
    const kubeconfig = ["--kubeconfig", join(folder, String(outputs.kubeconfigPath))];
    const nodes = await output(String(outputs.kubectlPath), [...kubeconfig, "get", "nodes", "--output", "name"]);
    expect(nodes.split("\n")).toEqual(["node/control-plane-1", "node/worker-1"]);
    await pulumi("up", "--yes", "--skip-preview", "--non-interactive", "--expect-no-changes");
    await destroy(folder);
  });
}
