import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isClone, projectFolder, selectProject } from "../../../../cli/engine/project-folder";
import { projectRoot } from "../../../../common/project-root";

let root: string;
beforeEach(() => {
  vi.stubEnv("KUBEWRIGHT_PROJECT", undefined);
  root = realpathSync(mkdtempSync(join(tmpdir(), "kubewright-project-")));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

test("npm scripts work in the clone", () => {
  expect(projectFolder()).toBe(projectRoot());
  expect(isClone()).toBe(true);
});

test("the project is the nearest folder above with Kubewright's Pulumi.yaml", () => {
  writeFileSync(join(root, "Pulumi.yaml"), "name: kubewright\nruntime: nodejs\n");
  const inner = join(root, "keys", "old");
  mkdirSync(inner, { recursive: true });
  selectProject(inner);
  expect(projectFolder()).toBe(root);
  expect(isClone()).toBe(false);
});

test("KUBEWRIGHT_PROJECT selects a project from anywhere", () => {
  writeFileSync(join(root, "Pulumi.yaml"), "name: kubewright\n");
  vi.stubEnv("KUBEWRIGHT_PROJECT", root);
  selectProject();
  expect(projectFolder()).toBe(root);
});

test("refuses a folder without a project, and another Pulumi project", () => {
  expect(() => selectProject(root)).toThrow(/has a Pulumi\.yaml; change to the folder of your project, or create one/);
  writeFileSync(join(root, "Pulumi.yaml"), "name: website\n");
  expect(() => selectProject(root)).toThrow(/is the project "website", not kubewright/);
});
