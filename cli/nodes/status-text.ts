import { describeEtcd } from "../../provider/kubeadm/etcd-report";
import { backupLine, type BackupStatus } from "../backup/backup-status";
import { table } from "../terminal/text";
import { certificateLine, certificateTable } from "./certificate-status";
import type { ClusterStatus } from "./cluster-status";
import { journalLines, type UpgradeJournal } from "./upgrade-journal";
import { userCommand } from "../../common/user-command";

/**
 * Formats a cluster's status for people.
 * @param options.certificates whether every certificate is listed
 */
export function statusText(
  status: ClusterStatus & { drift?: readonly string[]; backups?: BackupStatus; upgrade?: UpgradeJournal },
  options: { certificates?: boolean } = {},
): string {
  const { version, nodes, certificates, etcd, problems, warnings, drift, backups, upgrade } = status;
  const repair =
    drift !== undefined && drift.length > 0
      ? [`machines differ from the configuration: \`${userCommand("up", "--refresh")}\` repairs them`]
      : [];
  const all = [...problems, ...repair];
  const lines = [
    ...nodeTable(nodes),
    "",
    ...(options.certificates ? [...certificateTable(certificates), ""] : []),
    `Kubernetes    ${version}`,
    ...certificateLine(certificates),
    ...(etcd ? [`etcd          ${describeEtcd(etcd)}`] : []),
    ...(backups ? [`backup        ${backupLine(backups)}`] : []),
    ...(upgrade ? journalLines(upgrade) : []),
    ...driftLine(drift),
    ...warnings.map((warning) => `warning: ${warning}`),
    all.length === 0 ? "healthy" : `unhealthy: ${all.join("; ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Formats nodes as a table, sorted by pool and name. */
export function nodeTable(nodes: ClusterStatus["nodes"]): string[] {
  const rows = [...nodes]
    .sort(byPool)
    .map(({ pool, name, version, runtime, ready, cordoned, conditions, pods, capacity, taints }) => [
      pool,
      name,
      version,
      runtime,
      [ready ? "Ready" : "NotReady", ...(cordoned ? ["cordoned"] : []), ...(ready ? conditions : [])].join(", "),
      `${pods} of ${capacity}`,
      taints.join(" "),
    ]);
  return table([["POOL", "NODE", "KUBELET", "RUNTIME", "STATUS", "PODS", "TAINTS"], ...rows]);
}

function driftLine(drift: readonly string[] | undefined): string[] {
  if (drift === undefined) return [];
  return [drift.length === 0 ? "drift         none" : `drift         ${drift.length}: ${drift.join(", ")}`];
}

function byPool(one: ClusterStatus["nodes"][number], other: ClusterStatus["nodes"][number]): number {
  return one.pool.localeCompare(other.pool) || one.name.localeCompare(other.name, "en", { numeric: true });
}
