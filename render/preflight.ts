import { clusterFindings } from "./preflight-cluster";
import { machineFindings } from "./preflight-machine";
import type { Expectations, Finding, JudgedMachine } from "./preflight-types";

export type { Expectations, Finding, JudgedMachine, MachineRole } from "./preflight-types";

/** Judges all machines at once; errors first, then in the machines' order. */
export function judge(machines: readonly JudgedMachine[], expectations: Expectations): Finding[] {
  const findings = [...machines.flatMap((machine) => machineFindings(machine, expectations)), ...clusterFindings(machines, expectations)];
  return [...findings.filter(isError), ...findings.filter((finding) => !isError(finding))];
}

export function isError(finding: Finding): boolean {
  return finding.severity === "error";
}

/** One line per finding: `error   worker-2: swap is on (512 MiB); ...`. Empty when there are none. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings.map(({ severity, machine, message, action }) => `${severity.padEnd(7)} ${machine}: ${message}; ${action}`).join("\n");
}
