import type { V1Node, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import type { KubeApi } from "./api";
import type { KubeClients } from "./clients";
import { isReady } from "./cordon";
import { podName, workloadOf } from "./pods";
import { retryRequest } from "./retry";

/** Factor for the deadline of requests: an API that does not answer soon is itself a problem. */
const PATIENCE = 0.25;
const SYSTEM = "kube-system";

/** What is wrong with the cluster. */
export interface HealthProblem {
  /** Equal for the same problem in two checks. */
  key: string;
  detail: string;
}

/** How the control planes are reached. */
interface HealthContext {
  kube: Pick<KubeClients, "readText">;
  connections: { get(connection: Connection): { label: string } };
  signal: AbortSignal;
}

export interface HealthScope {
  /** Node whose pods are checked besides those of the system. */
  node: string;
  /** Control planes whose API server and etcd must be ready. */
  controlPlanes: readonly Connection[];
}

/**
 * Reads what is wrong with the cluster: an API server or its etcd that is not ready, a node that is not Ready, and a
 * container that crashes, of the system or on one node.
 * @throws StepError where the API does not answer
 */
export async function readHealthProblems(
  context: HealthContext,
  api: KubeApi,
  { node, controlPlanes }: HealthScope,
): Promise<HealthProblem[]> {
  const { signal } = context;
  const limit = { patience: api.patience * PATIENCE };
  const [servers, nodes, pods] = await Promise.all([
    Promise.all(controlPlanes.map(async (controlPlane) => await findServerProblem(context, controlPlane))),
    retryRequest(limit, "listing the nodes", signal, () => api.core.listNode({})),
    retryRequest(limit, "listing the pods", signal, () => api.core.listPodForAllNamespaces({})),
  ]);
  const watched = pods.items.filter(({ metadata, spec }) => metadata?.namespace === SYSTEM || spec?.nodeName === node);
  return [...servers.flat(), ...nodes.items.flatMap(findNodeProblem), ...watched.flatMap(findCrash)];
}

/** `/readyz` of an API server includes its etcd. */
async function findServerProblem(
  { kube, connections, signal }: HealthContext,
  controlPlane: Connection,
): Promise<HealthProblem[]> {
  try {
    await kube.readText(controlPlane, "/readyz", signal);
    return [];
  } catch (error) {
    signal.throwIfAborted();
    const { label } = connections.get(controlPlane);
    return [{ key: `server ${label}`, detail: `the API server of ${label} is not ready: ${messageOf(error)}` }];
  }
}

function findNodeProblem(node: V1Node): HealthProblem[] {
  if (isReady(node)) return [];
  const name = node.metadata?.name ?? "";
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  const reason = ready?.message ?? ready?.reason ?? "it has not reported";
  return [{ key: `node ${name}`, detail: `node ${name} is not Ready: ${reason}` }];
}

function findCrash(pod: V1Pod): HealthProblem[] {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const crashing = statuses.find(({ state }) => state?.waiting?.reason === "CrashLoopBackOff");
  if (!crashing) return [];
  const reason = crashing.lastState?.terminated?.reason ?? crashing.state?.waiting?.message ?? "it exits";
  const where = `pod ${podName(pod)} on ${pod.spec?.nodeName}`;
  return [{ key: `crash ${workloadOf(pod)}`, detail: `container ${crashing.name} of ${where} crashes: ${reason}` }];
}
