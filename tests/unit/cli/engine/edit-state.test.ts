import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Deployment } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { editState } from "../../../../cli/engine/edit-state";
import { fakeStack } from "../fake-stack";

let project: string;
const common = tmpdir();

beforeEach(() => {
  project = mkdtempSync(join(common, "kubewright-edit-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true, force: true });
});

/** Writes the state as the Automation API does; returns the path of the file and its folder's mode. */
function importer(written: { path?: string; mode?: number }, failure?: Error) {
  return async (state: Deployment) => {
    written.path = join(tmpdir(), "automation-123456");
    written.mode = statSync(dirname(written.path)).mode & 0o777;
    writeFileSync(written.path, JSON.stringify(state));
    if (failure) throw failure;
  };
}

const edit = (importStack: object) => editState(fakeStack([], { importStack }), (state: object) => state);

test("the file with the plain state is in a folder that only this user can read, and is removed", async () => {
  const written: { path?: string; mode?: number } = {};
  await edit(importer(written));
  expect(written.mode).toBe(0o700);
  expect(dirname(written.path ?? "")).not.toBe(common);
  expect(readdirSync(join(project, ".kubewright"))).toEqual([]);
  expect(tmpdir()).toBe(common);
});

test("the file is removed when the import fails", async () => {
  await expect(edit(importer({}, new Error("locked")))).rejects.toThrow("locked");
  expect(readdirSync(join(project, ".kubewright"))).toEqual([]);
  expect(tmpdir()).toBe(common);
});
