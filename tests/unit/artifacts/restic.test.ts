import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { obtainMachineRestic, obtainRestic } from "../../../artifacts/restic";
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

describe("for machines", () => {
  const obtainFor = (arch: "amd64" | "arm64") => obtainMachineRestic(arch, silent, new AbortController().signal);
  const own = process.arch === "arm64" ? "arm64" : "amd64";
  const other = own === "arm64" ? "amd64" : "arm64";

  test.skipIf(process.platform !== "linux")("uses the restic on PATH where none can be built", async () => {
    installRestic("0.18.0");
    const file = await obtainFor(own);
    expect(file).toMatchObject({ path: join(folder, "restic"), size: readFileSync(join(folder, "restic")).length });
    expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("does not copy it to machines of another architecture", async () => {
    installRestic("0.18.0");
    await expect(obtainFor(other)).rejects.toThrow("cannot be built");
  });
});
