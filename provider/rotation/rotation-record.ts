import { z } from "zod";
import { settleAll } from "../../common/settle-all";
import { textFile, readContents, writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";
import { AUTHORITIES, PHASES, type Phase } from "./phases";

/** Folder of a rotation on every machine. Control planes also have the new CAs and their keys there. */
export const ROTATION_FOLDER = "/var/lib/kubewright/ca-rotation";
const RECORD = `${ROTATION_FOLDER}/record.json`;
const PROVED = `${ROTATION_FOLDER}/proved`;

const recordSchema = z.object({
  /** Identifies the rotation. */
  id: z.string(),
  authorities: z.array(z.enum(AUTHORITIES)),
  phase: z.enum(PHASES),
  /** Whether the phase is proved on all machines. */
  isDone: z.boolean(),
  /** When all API servers signed the tokens of service accounts with the new key, ISO 8601. */
  signedSince: z.string().optional(),
});
export type RotationRecord = z.output<typeof recordSchema>;

/** Returns the record that is the furthest: a phase is recorded as done only after its proof on all machines. */
export function furthest(records: readonly RotationRecord[]): RotationRecord | undefined {
  const position = ({ phase, isDone }: RotationRecord) => PHASES.indexOf(phase) * 2 + Number(isDone);
  return [...records].sort((one, other) => position(other) - position(one))[0];
}

/** Returns the phase that the next run does; undefined after the last one. */
export function nextPhase(record: RotationRecord | undefined): Phase | undefined {
  if (record === undefined) return PHASES[0];
  return record.isDone ? PHASES[PHASES.indexOf(record.phase) + 1] : record.phase;
}

export function parseRecord(text: string): RotationRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Reads the rotation that is in progress on the control planes; undefined where there is none. */
export async function readRotation(
  machines: readonly Remote[],
  signal: AbortSignal,
): Promise<RotationRecord | undefined> {
  const texts = await settleAll(machines.map((machine) => readContents(machine, [RECORD], signal)));
  return furthest(texts.flatMap((files) => parseRecord(files.get(RECORD) ?? "") ?? []));
}

/** Records the rotation on all control planes. */
export async function recordRotation(
  machines: readonly Remote[],
  record: RotationRecord,
  signal: AbortSignal,
): Promise<void> {
  const file = textFile(RECORD, `${JSON.stringify(record)}\n`, "0600");
  await settleAll(machines.map((machine) => writeFiles(machine, [file], "recording the rotation of CAs", signal)));
}

/** Whether a part of a phase was proved on a machine by an earlier run. */
export async function isProved(
  machine: Remote,
  { id, phase }: RotationRecord,
  part: MachinePart,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${PROVED}-${part}`;
  return (await readContents(machine, [path], signal)).get(path)?.trim() === `${id} ${phase}`;
}

/** A machine's control plane and its kubelet are changed and proved one after the other. */
export type MachinePart = "control-plane" | "kubelet";

export async function markProved(
  machine: Remote,
  { id, phase }: RotationRecord,
  part: MachinePart,
  signal: AbortSignal,
): Promise<void> {
  await writeFiles(machine, [textFile(`${PROVED}-${part}`, `${id} ${phase}\n`, "0600")], "recording the proof", signal);
}

/** Removes what a rotation has left on the machines, with the copies of the new keys. */
export async function removeRotation(machines: readonly Remote[], signal: AbortSignal): Promise<void> {
  const script = `rm -rf ${ROTATION_FOLDER}`;
  await settleAll(machines.map((machine) => machine.run(script, { step: "ending the rotation of CAs", signal })));
}
