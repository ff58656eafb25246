import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterStatus, clusterStatus } from "../nodes/cluster-status";
import { driftOf } from "../preview/drift";
import { clusterApi } from "../engine/on-stack";
import { inSession, type Session } from "../engine/operate";
import { parseOptions, type Options } from "../terminal/options";
import { controlPlanes } from "../engine/state";
import { statusText } from "../nodes/status-text";
import { findStack, prepareEngine } from "../engine/workspace";

/** `npm run status`: the cluster at a glance; the exit code says whether all is well. It only looks, so it needs no lock. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["json", "drift"]);
  return await inSession(options.stack, (session) => status(options, session));
}

async function status(options: Options, session: Session): Promise<number> {
  const api = await clusterApi(options.stack);
  await prepareEngine(session.progress, session.signal);
  const stack = await findStack(options.stack);
  const found = await look(stack, api, session);
  const drift = stack && options.flags.has("drift") ? await driftOf(stack, session) : undefined;
  session.screen.close();
  const healthy = found.healthy && (drift ?? []).length === 0;
  const all = { ...found, healthy, ...(drift ? { drift } : {}) };
  process.stdout.write(options.flags.has("json") ? `${JSON.stringify(all, null, 2)}\n` : statusText(all));
  return healthy ? 0 : 1;
}

async function look(
  stack: Stack | undefined,
  api: Parameters<typeof clusterStatus>[0],
  session: Session,
): Promise<ClusterStatus> {
  const connections = stack ? await controlPlanes(stack) : [];
  const machines = connections.map((connection) => session.provider.connections.get(connection));
  return await clusterStatus(api, { signal: session.signal, controlPlanes: machines });
}
