import { workerNames } from "../../components/config";
import type { ClusterStatus } from "./cluster-status";

type Node = ClusterStatus["nodes"][number];

export interface UpgradeNodes {
  /** The control planes, and the workers that the configuration has. */
  configured: Node[];
  /** Workers that the configuration does not have: the next run removes them, or Kubewright has not added them. */
  others: Node[];
}

/** Separates the nodes that an upgrade changes from others: its record must name configured workers only. */
export function splitNodes(config: Parameters<typeof workerNames>[0], nodes: readonly Node[]): UpgradeNodes {
  const workers = workerNames(config);
  const isConfigured = ({ name, roles }: Node) => roles.includes("control-plane") || workers.includes(name);
  return { configured: nodes.filter(isConfigured), others: nodes.filter((node) => !isConfigured(node)) };
}
