import { stat } from "node:fs/promises";
import { sha256Of } from "../../artifacts/hash";
import { writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";

/** Copies a snapshot from this computer to a control plane, where only root can read it. */
export async function sendSnapshot(machine: Remote, source: string, path: string, signal: AbortSignal): Promise<void> {
  const { size } = await stat(source);
  const file = { path, mode: "0600", sha256: await sha256Of(source), size, body: { source } };
  await writeFiles(machine, [file], "copying the snapshot", signal);
}
