import { printable } from "../../common/printable";
import type { AdoptedMachine } from "../engine/adopt";
import { pluralize, table } from "../terminal/text";
import type { Plan } from "./plan";
import { planText } from "./plan-text";

/** What an adoption takes into the state. */
export interface Adoption {
  stack: string;
  machines: AdoptedMachine[];
  /** Number of resources. */
  resources: number;
  /** What differs from the configuration: the next `up` would change it. */
  plan: Plan;
  /** Path of the kubeconfig, if it is missing on this computer. */
  kubeconfig?: string;
}

/** Whether the adoption writes the missing kubeconfig: an update does, where it would change nothing else. */
export function writesKubeconfig({ kubeconfig, plan }: Pick<Adoption, "kubeconfig" | "plan">): boolean {
  return kubeconfig !== undefined && plan.counts.resources === 0;
}

/** Formats an adoption for people: the machines with their host keys, and what differs from the configuration. */
export function adoptionText(adoption: Adoption): string {
  const { stack, machines, resources, plan } = adoption;
  const counted = `${pluralize(machines.length, "machine")} and ${pluralize(resources, "resource")}`;
  const rows = machines.map(({ name, address, hostKey, isFirstConnection }) => [
    name,
    address,
    `${hostKey}${isFirstConnection ? " (first connection)" : ""}`,
  ]);
  const lines = [
    `Adopt ${counted} into stack ${stack}:`,
    "",
    ...table([["MACHINE", "ADDRESS", "HOST KEY"], ...rows]),
    "",
    ...(machines.some(({ isFirstConnection }) => isFirstConnection) ? [COMPARE_KEYS, ""] : []),
    ...kubeconfigLines(adoption),
    ...differenceLines(plan),
  ];
  return printable(`${lines.join("\n")}\n`);
}

function kubeconfigLines({ kubeconfig, plan }: Adoption): string[] {
  if (kubeconfig === undefined) return [];
  const writer = writesKubeconfig({ kubeconfig, plan }) ? "is written again" : "is missing: the next update writes it";
  return [`The kubeconfig ${kubeconfig} ${writer}.`, ""];
}

const COMPARE_KEYS =
  "Compare the keys of first connections with what each machine itself shows:\n" +
  "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.";

function differenceLines(plan: Plan): string[] {
  if (plan.counts.resources === 0) {
    const notes = plan.notices.map((notice) => `note: ${notice}`);
    return [...notes, "The machines and the cluster match the configuration."];
  }
  return [
    "The configuration differs from what was found. After the adoption, an update would change:",
    "",
    planText(plan),
  ];
}
