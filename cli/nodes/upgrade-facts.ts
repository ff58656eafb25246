import type { Stack } from "@pulumi/pulumi/automation";
import { optional } from "../../common/optional";
import type { KubeApi } from "../../provider/kube/api";
import { readAuditedUsers, readWriters } from "../../provider/kube/api-users";
import { parseDeprecatedApis, type DeprecatedApi } from "../../provider/kube/deprecated-apis";
import { planDrain } from "../../provider/kube/drain-plan";
import { controlPlaneRemotes, machineRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { controlPlanes } from "../engine/state";
import { clusterStatus, type ClusterStatus } from "./cluster-status";
import { configuredDrain } from "./drain-node";
import { readDiskNotes } from "./upgrade-disk";

/** Reads the status of the cluster, with etcd and the certificates of the control planes. */
export async function readUpgradeStatus(api: KubeApi, stack: Stack, session: Session): Promise<ClusterStatus> {
  const machines = await controlPlaneRemotes(stack, session);
  return await clusterStatus(api, { signal: session.signal, controlPlanes: machines });
}

/**
 * Reads the deprecated APIs in use, with the clients that use them: from the audit log, if there is one, or else from
 * the objects. Each API server counts the requests since its own start.
 */
export async function readDeprecatedApis(stack: Stack, session: Session): Promise<DeprecatedApi[]> {
  const { provider, signal } = session;
  const connections = await controlPlanes(stack);
  const metrics = await Promise.all(
    connections.map(
      async (connection) => await optionalRead(signal, provider.kube.readText(connection, "/metrics", signal), ""),
    ),
  );
  const apis = parseDeprecatedApis(metrics.join("\n"));
  const [first] = connections;
  if (apis.length === 0 || !first) return apis;
  const audited = await readAudited(stack, session);
  return await Promise.all(
    apis.map(async (api) => {
      const users = audited.get(api.resource) ?? (await readWriters(provider.kube, first, api, signal));
      return { ...api, ...optional({ users: users.length > 0 ? users : undefined }) };
    }),
  );
}

async function readAudited(stack: Stack, session: Session): Promise<Map<string, string[]>> {
  const machines = await controlPlaneRemotes(stack, session);
  const none = new Map<string, string[]>();
  const logs = await Promise.all(
    machines.map(
      async (machine) => await optionalRead(session.signal, readAuditedUsers(machine, session.signal), none),
    ),
  );
  return new Map(logs.flatMap((log) => [...log]));
}

/** Returns a fallback for what cannot be read: a plan does not need it. */
async function optionalRead<T>(signal: AbortSignal, reading: Promise<T>, fallback: T): Promise<T> {
  return await reading.catch(() => {
    signal.throwIfAborted();
    return fallback;
  });
}

/** Reads which machines have little room for another version. */
export async function readDisks(stack: Stack, session: Session): Promise<string[]> {
  return await readDiskNotes(await machineRemotes(stack, session), session.signal);
}

/** Reads what would hold up the drain of each worker now, by its name. */
export async function readObstacles(
  api: KubeApi,
  { stack, status, signal }: { stack: string; status: ClusterStatus; signal: AbortSignal },
): Promise<Map<string, string[]>> {
  const workers = status.nodes.filter(({ roles }) => !roles.includes("control-plane"));
  const plans = await Promise.all(workers.map(({ name }) => planDrain(api, name, configuredDrain(stack), signal)));
  return new Map(plans.map(({ node, obstacles }) => [node, obstacles]));
}
