import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { obtainRestic } from "../../../artifacts/restic";
import { silent } from "../../../common/progress";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-restic-"));
  vi.stubEnv("PATH", folder);
  vi.stubEnv("KUBEWRIGHT_CACHE", join(folder, "cache"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function installRestic(version: string): void {
  const script = `#!/bin/sh\necho "restic ${version} compiled with go1.24.4 on linux/amd64"\n`;
  writeFileSync(join(folder, "restic"), script, { mode: 0o755 });
}

const obtain = () => obtainRestic(silent, new AbortController().signal);

test("uses the restic on PATH", async () => {
  installRestic("0.18.0");
  expect(await obtain()).toBe(join(folder, "restic"));
});

test("does not use an older restic, whose exit codes say less, and names both ways to get one", async () => {
  installRestic("0.16.4");
  await expect(obtain()).rejects.toThrow(
    /it is not on PATH in version 0\.17\.0 or later, and cannot be built: .*; install the package restic, or Go$/,
  );
});
