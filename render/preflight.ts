import { clusterFindings } from "./preflight-cluster";
import { machineFindings } from "./preflight-machine";
import type { Expectations, Finding, PreflightMachine } from "./preflight-types";

export type { Expectations, Finding, MachineRole, PreflightMachine } from "./preflight-types";

/** Returns the findings of all machines: errors first, and otherwise in the order of the machines. */
export function preflightFindings(all: readonly PreflightMachine[], expectations: Expectations): Finding[] {
  const machines = markMembers(all);
  const findings = [
    ...machines.flatMap((machine) => machineFindings(machine, expectations)),
    ...clusterFindings(machines, expectations),
  ];
  return [...findings.filter(isError), ...findings.filter((finding) => !isError(finding))];
}

/**
 * Marks nodes with the CA of a member as members. They are missing from the state if an older state was restored. It
 * does not mark a node that the state has under another name.
 */
function markMembers(machines: readonly PreflightMachine[]): PreflightMachine[] {
  const clusterCas = machines.flatMap(({ instanceAlreadyMember, facts }) =>
    instanceAlreadyMember && facts.clusterCa !== undefined ? [facts.clusterCa] : [],
  );
  return machines.map((machine) =>
    machine.memberAs === undefined &&
    machine.facts.clusterCa !== undefined &&
    clusterCas.includes(machine.facts.clusterCa)
      ? { ...machine, instanceAlreadyMember: true }
      : machine,
  );
}

export function isError(finding: Finding): boolean {
  return finding.severity === "error";
}

/** Renders one line per finding: `error   worker-2: swap is on (512 MiB); ...`. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ severity, machine, message, action }) => `${severity.padEnd(7)} ${machine}: ${message}; ${action}`)
    .join("\n");
}
