import { settleAll } from "../../common/settle-all";
import type { Remote } from "../ssh/remote";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { runOnMembers, type RestoredMember } from "./restored-member";

const FILE = `${BACKUP_FOLDER}/restore-phase`;

/**
 * How far a restore has come. It is recorded on every control plane, so that the next command knows what a killed one
 * has left: `replacing` is put back, `proved` stays.
 */
export type RestorePhase = "replacing" | "proved";

/** Records the phase on all control planes. */
export async function recordPhase(members: readonly RestoredMember[], phase: RestorePhase): Promise<void> {
  const script = `set -e
mkdir -p ${BACKUP_FOLDER}
echo ${phase} >${FILE}.part
mv -fT ${FILE}.part ${FILE}`;
  await runOnMembers(members, "recording the phase of the restore", script);
}

/** Records that no restore is in progress. */
export async function clearPhase(members: readonly RestoredMember[]): Promise<void> {
  await runOnMembers(members, "recording the end of the restore", `rm -f ${FILE}`);
}

/**
 * Returns the phase of a restore that has not ended; undefined where there is none. It is proved when one control plane
 * has recorded it: the proof was complete before any of them recorded it.
 */
export async function readPhase(machines: readonly Remote[], signal: AbortSignal): Promise<RestorePhase | undefined> {
  const script = `cat ${FILE} 2>/dev/null || true`;
  const step = "reading the phase of the restore";
  const answers = await settleAll(machines.map((machine) => machine.read(script, { step, signal })));
  const recorded = answers.map(({ stdout }) => stdout.trim());
  return (["proved", "replacing"] as const).find((phase) => recorded.includes(phase));
}
