import { expect, test } from "vitest";
import { readStamps, writeStamps } from "../../../../provider/backup/stamps";
import type { Remote } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const { signal } = new AbortController();
const STAMP = { id: "65c64ecf", time: "2026-11-26T14:49:53.663Z" };

class LostMachine extends MemoryMachine {
  override run(): Promise<never> {
    return Promise.reject(new Error("no answer"));
  }
}
const remotes = (...machines: MemoryMachine[]) => machines as unknown as Remote[];

test("every control plane that answers has the record, so that it stays when one is lost", async () => {
  const [one, other] = [new MemoryMachine(), new MemoryMachine()];
  await writeStamps(remotes(one, new LostMachine(), other), "backup", STAMP, signal);
  for (const machine of [one, other]) expect(await readStamps(remotes(machine), signal)).toEqual({ backup: STAMP });
});

test("a record that no control plane has is an error", async () => {
  const lost = remotes(new LostMachine(), new LostMachine());
  await expect(writeStamps(lost, "drill", STAMP, signal)).rejects.toThrow("no answer");
});
