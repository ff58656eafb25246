import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { VirtualMachine } from "./machine";

/** What a machine is like: lines by section (files, sysctls, modules, units and so on). */
export type MachineState = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads what a machine is like, to be compared before and after. */
export async function readState(machine: Pick<VirtualMachine, "run">): Promise<MachineState> {
  return parseState(await machine.run(readFileSync(join(__dirname, "state.sh"), "utf8")));
}

/** Parses sections that begin with a line `== NAME`. */
export function parseState(text: string): MachineState {
  const state = new Map<string, Set<string>>();
  let lines = new Set<string>();
  for (const line of text.split("\n").map((each) => each.trimEnd())) {
    if (line.startsWith("== ")) state.set(line.slice(3), (lines = new Set()));
    else if (line !== "") lines.add(line);
  }
  return state;
}

/**
 * Lists the lines that differ: `sysctls: + kernel.panic = 10` is new, `sysctls: - kernel.panic = 0` is gone.
 * @param expected differences that are allowed
 */
export function compareStates(before: MachineState, after: MachineState, expected: readonly RegExp[] = []): string[] {
  const sections = new Set([...before.keys(), ...after.keys()]);
  const differences = [...sections].flatMap((section) => {
    const [old, now] = [before.get(section) ?? new Set<string>(), after.get(section) ?? new Set<string>()];
    const gone = [...old].filter((line) => !now.has(line)).map((line) => `${section}: - ${line}`);
    const added = [...now].filter((line) => !old.has(line)).map((line) => `${section}: + ${line}`);
    return [...gone, ...added];
  });
  return differences.filter((line) => !expected.some((pattern) => pattern.test(line)));
}
