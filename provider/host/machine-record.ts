import { commandLine, quote } from "../../common/quote";
import { template } from "../../render/template";
import type { Remote } from "../ssh/remote";
import { RECORD } from "./files";

/** Records what the machine is like, unless a record exists. Called before the first change. */
export async function recordMachine(machine: Remote, sysctls: readonly string[], signal: AbortSignal): Promise<void> {
  const script = template("host/record.sh", { RECORD, SYSCTLS: commandLine(sysctls) });
  await machine.run(script, { step: "recording the machine's settings", signal });
}

/** Restores the recorded sysctls, unloads modules that were not loaded before, and deletes the record. */
export async function restoreKernel(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run(template("host/restore-kernel.sh", { RECORD }), { step: "restoring kernel settings", signal });
}

/** Adds folders to the record that exist already: they may have been there before. For folders of a later version. */
export async function recordFolders(machine: Remote, folders: readonly string[], signal: AbortSignal): Promise<void> {
  if (folders.length === 0) return;
  const script = `mkdir -p ${quote(RECORD.slice(0, RECORD.lastIndexOf("/")))}
for f in ${commandLine(folders)}; do
  [ ! -d "$f" ] || grep -qsxF "folder $f" ${RECORD} || echo "folder $f" >> ${RECORD}
done`;
  await machine.run(script, { step: "recording the machine's folders", signal });
}

/** Returns the folders that the record does not have. */
export async function findNewFolders(
  machine: Remote,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (folders.length === 0) return [];
  const script = `for f in ${commandLine(folders)}; do grep -qsxF "folder $f" ${RECORD} || echo "$f"; done`;
  const { stdout } = await machine.read(script, { step: "reading the machine's record", signal });
  return folders.filter((folder) => stdout.split("\n").includes(folder));
}

/**
 * Stops and disables a unit. Processes that the unit leaves, such as containerd's shims, are ended, unless the unit was
 * active before the machine's first change: then they may be another program's. Files in /run with the name of a unit
 * of Kubewright are deleted: haproxy leaves its socket there, and scripts keep the cache of kubectl.
 */
export async function stopUnit(machine: Remote, unit: string, step: string, signal: AbortSignal): Promise<void> {
  const name = quote(unit);
  const script = `systemctl disable --quiet --now ${name} 2>/dev/null || true
grep -qsx ${quote(`active ${unit}`)} ${RECORD} || systemctl kill --signal=KILL ${name} 2>/dev/null || true
unit=${name}
case $unit in kubewright-*) rm -rf "/run/\${unit%.*}".* ;; esac`;
  await machine.run(script, { step, signal });
}

/** Enables and starts a unit again that was enabled or active before the machine's first change. */
export async function restoreUnitState(machine: Remote, unit: string, signal: AbortSignal): Promise<void> {
  const name = quote(unit);
  const script = `if grep -qsx ${quote(`enabled ${unit}`)} ${RECORD}; then systemctl enable --quiet ${name}; fi
if grep -qsx ${quote(`active ${unit}`)} ${RECORD}; then systemctl start ${name}; fi`;
  await machine.run(script, { step: `restoring ${unit}`, signal });
}
