import { existsSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { PROGRAM, PROVIDER_FOLDER, writeProgramFiles } from "../../../../cli/engine/program-files";
import { projectRoot } from "../../../../common/project-root";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "kubewright-program-")));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("a project's program runs that of this package, in the folder of the project", () => {
  vi.stubEnv("KUBEWRIGHT_PROJECT", folder);
  writeProgramFiles();
  writeProgramFiles(); // changes nothing
  const program = readFileSync(join(folder, PROGRAM), "utf8");
  expect(program).toContain(JSON.stringify(projectRoot()));
  expect(program).toContain(`process.chdir(${JSON.stringify(folder)})`);
  expect(existsSync(join(folder, PROVIDER_FOLDER, "pulumi-resource-kubewright"))).toBe(true);
  const packages = join(folder, ".kubewright", "program", "node_modules");
  expect(readlinkSync(join(packages, "kubewright"))).toBe(projectRoot());
  expect(existsSync(join(packages, "@pulumi", "pulumi", "cmd", "run"))).toBe(true);
});

test("a clone needs no such files", () => {
  vi.stubEnv("KUBEWRIGHT_PROJECT", undefined);
  writeProgramFiles();
  expect(existsSync(join(projectRoot(), ".kubewright", "program"))).toBe(false);
});
