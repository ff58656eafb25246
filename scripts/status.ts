import { type ClusterStatus, clusterStatus } from "./lib/cluster-status";
import { driftOf } from "./lib/drift";
import { clusterApi } from "./lib/on-stack";
import { inSession, type Session } from "./lib/operate";
import { parseOptions, type Options } from "./lib/options";

/** `npm run status`: the cluster at a glance; the exit code says whether all is well. It only looks, so it needs no lock. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["json", "drift"]);
  return await inSession(options.stack, (session) => status(options, session));
}

async function status({ stack, flags }: Options, session: Session): Promise<number> {
  const found = await clusterStatus(await clusterApi(stack), session.signal);
  const drift = flags.has("drift") ? await driftOf(stack, session) : undefined;
  session.screen.close();
  const healthy = found.healthy && (drift ?? []).length === 0;
  process.stdout.write(flags.has("json") ? `${JSON.stringify({ ...found, healthy, ...(drift ? { drift } : {}) }, null, 2)}\n` : text(found, drift));
  return healthy ? 0 : 1;
}

function text({ nodes, certificates, problems }: ClusterStatus, drift: readonly string[] | undefined): string {
  const rows = nodes.map(({ pool, name, version, ready, cordoned, conditions, pods, capacity }) => [
    pool, name, version, [ready ? "Ready" : "not Ready", ...(cordoned ? ["cordoned"] : []), ...conditions].join(", "), `${pods} of ${capacity}`,
  ]);
  const ends = certificates.map(({ name, ends: day, days }) => `${name} ${day.slice(0, 10)} (${days} days)`).join(", ");
  const drifted = drift === undefined ? [] : [drift.length === 0 ? "drift         none" : `drift         ${drift.length}: ${drift.join(", ")}`];
  const verdict = [...problems, ...(drift ?? []).slice(0, 1).map(() => "machines are not as configured: `npm start -- --refresh` mends them")];
  return `${[
    ...table([["POOL", "NODE", "VERSION", "STATE", "PODS"], ...rows]),
    "",
    `certificates  ${ends}`,
    ...drifted,
    verdict.length === 0 ? "healthy" : `not healthy: ${verdict.join("; ")}`,
  ].join("\n")}\n`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ").trimEnd());
}
