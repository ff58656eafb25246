import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { removeEmptyAttributes } from "../../../../cli/engine/state-attributes";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-attributes-"));
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${folder}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("only an attribute file that a killed engine left empty is removed", () => {
  const stacks = join(folder, ".pulumi", "stacks", "kubewright");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(stacks, "dev.json"), "");
  writeFileSync(join(stacks, "dev.json.attrs"), "");
  writeFileSync(join(stacks, "lab.json.attrs"), "{}");
  removeEmptyAttributes();
  expect(readdirSync(stacks).sort()).toEqual(["dev.json", "lab.json.attrs"]);
});

test("a backend that does not exist yet is no error", () => {
  expect(removeEmptyAttributes).not.toThrow();
});
