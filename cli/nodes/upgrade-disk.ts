import { minimumDiskMiB } from "../../render/preflight-machine";
import type { Remote } from "../../provider/ssh/remote";

const SCRIPT = "df -Pm /var/lib | awk 'NR == 2 { print $4 }'";

/**
 * Returns a note for each machine whose disk may be too small for another version: the images of the version before
 * stay on it. A machine that does not answer has no note, because the status reports it.
 */
export async function readDiskNotes(machines: readonly Remote[], signal: AbortSignal): Promise<string[]> {
  const notes = await Promise.all(machines.map(async (machine) => await readDiskNote(machine, signal)));
  return notes.flat();
}

async function readDiskNote(machine: Remote, signal: AbortSignal): Promise<string[]> {
  const free = await machine.read(SCRIPT, { step: "reading the free disk space", signal }).then(
    ({ stdout }) => (/^\d+$/.test(stdout.trim()) ? Number(stdout) : Number.POSITIVE_INFINITY),
    () => Number.POSITIVE_INFINITY,
  );
  signal.throwIfAborted();
  if (free >= minimumDiskMiB) return [];
  const need = `copying the binaries and images of another version needs up to ${minimumDiskMiB} MiB`;
  return [`${machine.label}: only ${free} MiB are free in /var/lib, and ${need}; free space or enlarge the disk`];
}
