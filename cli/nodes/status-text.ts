import type { ClusterStatus } from "./cluster-status";
import { table } from "../terminal/text";

const DAY_MS = 86_400_000;

/** The cluster at a glance, for people. */
export function statusText({
  version,
  nodes,
  certificates,
  problems,
  drift,
}: ClusterStatus & { drift?: readonly string[] }): string {
  const rows = [...nodes]
    .sort(byPool)
    .map(({ pool, name, version: kubelet, runtime, ready, cordoned, troubles, pods, capacity, taints }) => [
      pool,
      name,
      kubelet,
      runtime,
      [ready ? "Ready" : "not Ready", ...(cordoned ? ["cordoned"] : []), ...(ready ? troubles : [])].join(", "),
      `${pods} of ${capacity}`,
      taints.join(" "),
    ]);
  const drifted =
    drift === undefined
      ? []
      : [drift.length === 0 ? "drift         none" : `drift         ${drift.length}: ${drift.join(", ")}`];
  const toMend =
    (drift ?? []).length > 0 ? ["machines are not as configured: `npm start -- --refresh` mends them"] : [];
  const verdict = [...problems, ...toMend];
  return `${[
    ...table([["POOL", "NODE", "KUBELET", "RUNTIME", "STATE", "PODS", "TAINTS"], ...rows]),
    "",
    `Kubernetes    ${version}`,
    ...certificateLine(certificates),
    ...drifted,
    verdict.length === 0 ? "healthy" : `not healthy: ${verdict.join("; ")}`,
  ].join("\n")}\n`;
}

/** One word for all of them: which ends first, and when. */
function certificateLine(certificates: ClusterStatus["certificates"]): string[] {
  const [first] = [...certificates].sort((one, other) => one.end.getTime() - other.end.getTime());
  if (!first) return [];
  const days = Math.floor((first.end.getTime() - Date.now()) / DAY_MS);
  return [
    `certificates  ${certificates.length}; the first to end is ${first.name} of ${first.machine}, on ${first.end.toISOString().slice(0, 10)} (${days} days)`,
  ];
}

function byPool(one: ClusterStatus["nodes"][number], other: ClusterStatus["nodes"][number]): number {
  return one.pool.localeCompare(other.pool) || one.name.localeCompare(other.name, "en", { numeric: true });
}
