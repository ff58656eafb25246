import { randomBytes } from "node:crypto";
import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../../common/errors";
import { userCommand } from "../../../common/user-command";
import { until } from "../../../common/wait";
import type { KubeApi } from "../../../provider/kube/api";
import { isReady } from "../../../provider/kube/cordon";
import { retryRequest } from "../../../provider/kube/retry";
import { checkConfigMap, checkPod, checkService } from "./check-objects";
import { withCheckNamespace } from "./check-namespace";
import { CHECKS, type CheckedPod, type CheckResult, type Environment } from "./pod-checks";
import type { PodAccess } from "./pod-access";
import { waitForPods } from "./pods-start";

/** Nodes that are checked. A larger cluster is checked by a sample. */
const MOST_NODES = 20;
const STEP = "checking the cluster";
/** For which a controller manager that has just started may have made no service account for a new namespace. */
const SERVICE_ACCOUNT_SECONDS = 60;

interface Settings {
  signal: AbortSignal;
  access: PodAccess;
  status?: (message: string) => void;
}

/**
 * Checks that a cluster works for its users: pods start on each node, reach each other, and can be reached through the
 * API. It creates a namespace of its own, and removes it.
 * @throws StepError if the cluster has no CoreDNS, whose image the pods use
 */
export async function checkCluster(api: KubeApi, { signal, access, status }: Settings): Promise<CheckResult[]> {
  const environment = await readEnvironment(api, signal);
  const { items } = await retryRequest(api, "listing the nodes", signal, () => api.core.listNode());
  const { nodes, result } = chooseNodes(items, environment.image);
  if (nodes.length === 0) return [result];
  const results = await withCheckNamespace(api, signal, async (namespace) => {
    status?.(`starting ${nodes.length} pods in namespace ${namespace}`);
    const token = randomBytes(6).toString("hex");
    const pods = await startPods(api, { namespace, nodes, token, environment, signal });
    const started = await waitForPods(api, pods, signal);
    status?.("checking DNS, Services, and access to pods");
    return [started.result, ...(await runChecks(api, { ...environment, token, access, signal }, started.running))];
  });
  return [result, ...results];
}

/** Every node must be Ready. Pods run on those that are, and that have the image. */
function chooseNodes(nodes: readonly V1Node[], image: string): { nodes: string[]; result: CheckResult } {
  const nameOf = (node: V1Node) => node.metadata?.name ?? "";
  const ready = nodes.filter(isReady);
  const silent = nodes.filter((node) => !isReady(node)).map(nameOf);
  const usable = ready.filter((node) => hasImage(node, image)).map(nameOf);
  const without = ready.length - usable.length;
  const detail = [
    silent.length === 0 ? `${ready.length} of ${nodes.length} Ready` : `not Ready: ${silent.join(", ")}`,
    ...(without > 0 ? [`${without} without the image of CoreDNS are not checked further`] : []),
    ...(usable.length > MOST_NODES ? [`${MOST_NODES} of them are checked further`] : []),
  ].join("; ");
  const ok = silent.length === 0 && usable.length > 0;
  return { nodes: usable.slice(0, MOST_NODES), result: { name: "nodes", ok, detail } };
}

/** A kubelet reports its 50 largest images only, so a full list proves nothing. */
function hasImage({ status }: V1Node, image: string): boolean {
  const images = status?.images ?? [];
  return images.length >= 50 || images.some(({ names }) => names?.includes(image));
}

async function readEnvironment(api: KubeApi, signal: AbortSignal): Promise<Environment> {
  const read = <T>(what: string, request: () => Promise<T>) => retryRequest(api, `reading ${what}`, signal, request);
  try {
    const [deployment, config, dns, kubernetes] = await Promise.all([
      read("CoreDNS", () => api.apps.readNamespacedDeployment({ namespace: "kube-system", name: "coredns" })),
      read("CoreDNS", () => api.core.readNamespacedConfigMap({ namespace: "kube-system", name: "coredns" })),
      read("the DNS Service", () => api.core.readNamespacedService({ namespace: "kube-system", name: "kube-dns" })),
      read("the API's Service", () => api.core.readNamespacedService({ namespace: "default", name: "kubernetes" })),
    ]);
    return {
      image: deployment.spec?.template.spec?.containers[0]?.image ?? "",
      domain: /^\s*kubernetes (\S+)/m.exec(config.data?.Corefile ?? "")?.[1] ?? "cluster.local",
      clusterDns: dns.spec?.clusterIP ?? "",
      apiAddress: kubernetes.spec?.clusterIP ?? "",
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new StepError({
      step: STEP,
      cause: messageOf(error),
      action: `the check needs CoreDNS, and a cluster that is complete; see \`${userCommand("status")}\``,
    });
  }
}

interface Start {
  namespace: string;
  nodes: readonly string[];
  token: string;
  environment: Environment;
  signal: AbortSignal;
}

/** Starts a pod on each node. Each one uses the Service of the next. */
async function startPods(api: KubeApi, start: Start): Promise<CheckedPod[]> {
  const { namespace, nodes, token, environment, signal } = start;
  const create = <T>(what: string, request: () => Promise<T>) =>
    retryCreation(api, `creating ${what}`, signal, request);
  const names = nodes.map((_, index) => `check-${index + 1}`);
  await create("a ConfigMap", () => api.core.createNamespacedConfigMap({ namespace, body: checkConfigMap(token) }));
  const services = await Promise.all(
    names.map((name) =>
      create("a Service", () => api.core.createNamespacedService({ namespace, body: checkService(name) })),
    ),
  );
  return await Promise.all(
    names.map(async (name, index) => {
      const next = (index + 1) % names.length;
      const [node, target] = [nodes[index] ?? "", nodes[next] ?? ""];
      const service = services[next]?.spec?.clusterIP ?? "";
      const body = checkPod({ name, node, image: environment.image, service, clusterDns: environment.clusterDns });
      await create("a pod", () => api.core.createNamespacedPod({ namespace, body }));
      return { namespace, pod: name, node, target };
    }),
  );
}

/** A new namespace has no service account for some moments. A lost answer makes a repetition a conflict. */
async function retryCreation<T>(
  api: KubeApi,
  step: string,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T> {
  let last: unknown;
  const { result } = await until(
    async () => {
      try {
        return { result: await retryRequest(api, step, signal, request) };
      } catch (error) {
        if (!/serviceaccount .* not found/.test(messageOf(error))) throw error;
        last = error;
        return undefined;
      }
    },
    { signal, timeout: SERVICE_ACCOUNT_SECONDS, every: 500, onTimeout: () => last as Error },
  );
  return result;
}

/** Runs every check on every pod. A check that fails on one node fails. */
async function runChecks(
  api: KubeApi,
  environment: Parameters<(typeof CHECKS)[number]["run"]>[1],
  pods: readonly CheckedPod[],
): Promise<CheckResult[]> {
  const results = CHECKS.map(async ({ name, run }) => {
    const failures = await Promise.all(
      pods.map(async (pod) => {
        const problem = await run(api, environment, pod).catch((error: unknown) => messageOf(error));
        environment.signal.throwIfAborted();
        return problem === undefined ? [] : [`${pod.node}: ${problem}`];
      }),
    );
    const problems = failures.flat();
    const where = pods.length === 0 ? "no pod runs" : `on ${pods.map(({ node }) => node).join(", ")}`;
    const ok = problems.length === 0 && pods.length > 0;
    return { name, ok, detail: problems.length > 0 ? problems.join("; ") : where };
  });
  return await Promise.all(results);
}
