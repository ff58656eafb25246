import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";

/** Copies a snapshot from this computer to a control plane, where only root can read it. */
export async function sendSnapshot(machine: Remote, source: string, path: string, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  for await (const data of createReadStream(source)) hash.update(data as Buffer);
  const { size } = await stat(source);
  const file = { path, mode: "0600", sha256: hash.digest("hex"), size, body: { source } };
  await writeFiles(machine, [file], "copying the snapshot", signal);
}
