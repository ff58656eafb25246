import { describeEtcd } from "../../provider/kubeadm/etcd-report";
import { table } from "../terminal/text";
import type { ClusterStatus } from "./cluster-status";

const DAY_MS = 86_400_000;

/** Formats a cluster's status for people. */
export function statusText(status: ClusterStatus & { drift?: readonly string[] }): string {
  const { version, nodes, certificates, etcd, problems, drift } = status;
  const repair =
    drift !== undefined && drift.length > 0
      ? ["machines differ from the configuration: `npm start -- --refresh` repairs them"]
      : [];
  const all = [...problems, ...repair];
  const lines = [
    ...nodeTable(nodes),
    "",
    `Kubernetes    ${version}`,
    ...certificateLine(certificates),
    ...(etcd ? [`etcd          ${describeEtcd(etcd)}`] : []),
    ...driftLine(drift),
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

/** One line for all certificates, with the one that expires first. */
function certificateLine(certificates: ClusterStatus["certificates"]): string[] {
  const [first] = [...certificates].sort((one, other) => one.end.getTime() - other.end.getTime());
  if (!first) return [];
  const days = Math.floor((first.end.getTime() - Date.now()) / DAY_MS);
  const when = `on ${first.end.toISOString().slice(0, 10)} (in ${days} days)`;
  return [`certificates  ${certificates.length}; ${first.name} on ${first.machine} expires first, ${when}`];
}

function driftLine(drift: readonly string[] | undefined): string[] {
  if (drift === undefined) return [];
  return [drift.length === 0 ? "drift         none" : `drift         ${drift.length}: ${drift.join(", ")}`];
}

function byPool(one: ClusterStatus["nodes"][number], other: ClusterStatus["nodes"][number]): number {
  return one.pool.localeCompare(other.pool) || one.name.localeCompare(other.name, "en", { numeric: true });
}
