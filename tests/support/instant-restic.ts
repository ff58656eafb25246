import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Replaces `artifacts/restic` where restic is not what is tested: machines get a file with its name. */
const folder = mkdtempSync(join(tmpdir(), "kubewright-restic-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export async function obtainMachineRestic() {
  const path = join(folder, "restic");
  writeFileSync(path, "restic");
  return { path, sha256: createHash("sha256").update("restic").digest("hex"), size: "restic".length };
}
