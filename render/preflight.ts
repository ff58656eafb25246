import { clusterFindings } from "./preflight-cluster";
import { machineFindings } from "./preflight-machine";
import type { Expectations, Finding, JudgedMachine } from "./preflight-types";

export type { Expectations, Finding, JudgedMachine, MachineRole } from "./preflight-types";

/** Judges all machines at once; errors first, then in the machines' order. */
export function judge(looked: readonly JudgedMachine[], expectations: Expectations): Finding[] {
  const machines = withLostMembers(looked);
  const findings = [
    ...machines.flatMap((machine) => machineFindings(machine, expectations)),
    ...clusterFindings(machines, expectations),
  ];
  return [...findings.filter(isError), ...findings.filter((finding) => !isError(finding))];
}

/** A node with the CA of a member is one too: it joined in a run that the state does not know of, because an older one was restored. */
function withLostMembers(machines: readonly JudgedMachine[]): JudgedMachine[] {
  const ours = machines.flatMap(({ instanceAlreadyMember, facts }) =>
    instanceAlreadyMember && facts.clusterCa !== undefined ? [facts.clusterCa] : [],
  );
  return machines.map((machine) =>
    machine.facts.clusterCa !== undefined && ours.includes(machine.facts.clusterCa)
      ? { ...machine, instanceAlreadyMember: true }
      : machine,
  );
}

export function isError(finding: Finding): boolean {
  return finding.severity === "error";
}

/** One line per finding: `error   worker-2: swap is on (512 MiB); ...`. Empty when there are none. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ severity, machine, message, action }) => `${severity.padEnd(7)} ${machine}: ${message}; ${action}`)
    .join("\n");
}
