import { expect, test } from "vitest";
import {
  furthest,
  isProved,
  markProved,
  nextPhase,
  parseRecord,
  readRotation,
  recordRotation,
  removeRotation,
  type RotationRecord,
} from "../../../../provider/rotation/rotation-record";
import type { Remote } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const signal = new AbortController().signal;
const record = (phase: RotationRecord["phase"], isDone: boolean): RotationRecord => ({
  ...{ id: "r1", authorities: ["cluster"] },
  ...{ phase, isDone },
});

test("a run does the next phase, and continues one that is not done", () => {
  expect(nextPhase(undefined)).toBe("trust");
  expect(nextPhase(record("trust", false))).toBe("trust");
  expect(nextPhase(record("trust", true))).toBe("reissue");
  expect(nextPhase(record("reissue", true))).toBe("drop");
  expect(nextPhase(record("drop", true))).toBeUndefined();
});

test("control planes that a killed run has left apart: the furthest one counts", () => {
  expect(furthest([])).toBeUndefined();
  expect(furthest([record("trust", false), record("trust", true)])).toEqual(record("trust", true));
  expect(furthest([record("reissue", false), record("trust", true)])).toEqual(record("reissue", false));
});

test("a damaged record is none", () => {
  expect(parseRecord("{")).toBeUndefined();
  expect(parseRecord('{"phase": "other"}')).toBeUndefined();
});

test("a rotation and its proofs are read from the machines, until it ends", async () => {
  const machine = new MemoryMachine();
  machine.on(/^rm -rf \/var\/lib\/kubewright\/ca-rotation$/, () => {
    machine.files.clear();
    return "";
  });
  const remote = machine as unknown as Remote;
  await recordRotation([remote], record("trust", false), signal);
  await markProved(remote, record("trust", false), "kubelet", signal);
  expect(await readRotation([remote], signal)).toEqual(record("trust", false));
  expect(await isProved(remote, record("trust", false), "kubelet", signal)).toBe(true);
  expect(await isProved(remote, record("trust", false), "control-plane", signal)).toBe(false);
  expect(await isProved(remote, record("reissue", false), "kubelet", signal)).toBe(false);
  await removeRotation([remote], signal);
  expect(await readRotation([remote], signal)).toBeUndefined();
});
