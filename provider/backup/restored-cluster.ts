import { randomBytes } from "node:crypto";
import { StepError, messageOf } from "../../common/errors";
import { startDeadline } from "../../common/timer";
import { orAborted, until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import type { ProviderContext } from "../context/context";
import { reasonOf, statusOf } from "../kube/errors";
import type { Remote } from "../ssh/remote";
import { userCommand } from "../../common/user-command";

const SECONDS = 120;
const API_SECONDS = 180;
/** Seconds that one request may take: the API server ends its own requests after 60. */
const REQUEST_SECONDS = 15;
/** Seconds after which a policy that refuses an object is taken for its last word. */
const POLICY_SECONDS = 30;
const STEP = "proving the restored cluster";
const POD = "unschedulable";
const POLICY = /webhook|ValidatingAdmissionPolicy|PodSecurity/;

/** An admission policy of the cluster refuses an object of the proof, which says nothing about the restored state. */
class RefusedError extends Error {}

/**
 * Waits until the restored state is readable and the controller manager and the scheduler act on it: Secrets can be
 * decrypted, a new namespace gets its service account, and the scheduler decides on a pod that fits no node. Namespace
 * and pod are deleted again. Leases would prove less, and a single control plane has none.
 * @returns what could not be proved, because a policy of the cluster refuses it
 */
export async function waitForControllers(api: KubeApi, signal: AbortSignal): Promise<string | undefined> {
  const namespace = `kubewright-restore-${randomBytes(4).toString("hex")}`;
  await repeat(api, signal, "the API server cannot read the Secrets with its encryption keys", () =>
    api.core.listSecretForAllNamespaces({ limit: 500 }),
  );
  try {
    await proveControllers(api, namespace, signal);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.message;
    throw error;
  } finally {
    await limited(api.core.deleteNamespace({ name: namespace }), new AbortController().signal).catch(() => undefined);
  }
}

async function proveControllers(api: KubeApi, namespace: string, signal: AbortSignal): Promise<void> {
  await repeat(api, signal, "the API server does not create a namespace", () =>
    api.core.createNamespace({ body: { metadata: { name: namespace } } }),
  );
  await repeat(api, signal, "the controller manager does not create a service account", () =>
    api.core.readNamespacedServiceAccount({ name: "default", namespace }),
  );
  await repeat(api, signal, "the API server does not create a pod", () => createPod(api, namespace));
  await repeat(api, signal, "the scheduler does not decide on a pod", async () => {
    const { status } = await api.core.readNamespacedPod({ name: POD, namespace });
    if (!status?.conditions?.some(({ type }) => type === "PodScheduled")) throw new Error("it has no decision");
  });
}

/** Creates a pod that satisfies the Pod Security Standard `restricted`. */
async function createPod({ core }: KubeApi, namespace: string): Promise<void> {
  const container = {
    ...{ name: "none", image: "registry.k8s.io/pause" },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const spec = {
    nodeSelector: { "kubewright.dev/no-node": "none" },
    securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container],
  };
  await core.createNamespacedPod({ namespace, body: { metadata: { name: POD }, spec } });
}

/** Repeats a request until it succeeds; one that another attempt has fulfilled has succeeded. */
async function repeat(api: KubeApi, signal: AbortSignal, what: string, request: () => Promise<unknown>): Promise<void> {
  const start = Date.now();
  let reason = "";
  await until(
    () =>
      limited(request(), signal).then(
        () => true,
        (error: unknown) => {
          reason = reasonOf(error);
          assertNotRefused(`${what}: ${reason}`, Date.now() - start, api.patience);
          return statusOf(error) === 409 || undefined;
        },
      ),
    {
      ...{ signal, timeout: SECONDS, patience: api.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step: STEP,
          cause: `${what} within ${seconds} s: ${reason}`,
          action: "see the logs below /var/log/pods on the control planes",
        }),
    },
  );
}

function assertNotRefused(reason: string, elapsedMs: number, patience: number): void {
  if (POLICY.test(reason) && elapsedMs > POLICY_SECONDS * 1000 * patience) throw new RefusedError(reason);
}

/** Limits the time of a request: one whose connection is dead would never end. */
async function limited<T>(request: Promise<T>, signal: AbortSignal): Promise<T> {
  const limit = new AbortController();
  const timer = startDeadline(REQUEST_SECONDS, () => limit.abort(new Error(`no answer within ${REQUEST_SECONDS} s`)));
  try {
    return await orAborted(request, AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until the kubelets of the nodes renew their leases. The restored state of a node does not say whether its
 * kubelet runs. Compares with the first answer instead of a clock: the clocks of machines may differ.
 */
export async function waitForKubelets(api: KubeApi, nodes: readonly string[], signal: AbortSignal): Promise<void> {
  const first = new Map<string, string>();
  let waiting = [...nodes];
  await until(
    async () => {
      const states = await Promise.all(waiting.map((node) => isRenewed(api, node, first, signal)));
      waiting = waiting.filter((_, index) => states[index] !== true);
      return waiting.length === 0 || undefined;
    },
    {
      ...{ signal, timeout: SECONDS, patience: api.patience, every: 1_000 },
      onTimeout: (seconds) =>
        new StepError({
          step: STEP,
          cause: `${waiting.join(", ")} did not report within ${seconds} s`,
          action: `check \`systemctl status kubelet\` there, then run \`${userCommand("status")}\``,
        }),
    },
  );
}

async function isRenewed(
  api: KubeApi,
  node: string,
  first: Map<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  const time = await limited(readRenewal(api, node), signal).catch(() => undefined);
  if (time === undefined) return false;
  const before = first.get(node);
  if (before === undefined) first.set(node, time);
  return before !== undefined && before !== time;
}

async function readRenewal({ objects }: KubeApi, name: string): Promise<string | undefined> {
  const answer = await objects.read({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
  });
  return JSON.stringify((answer as { spec?: { renewTime?: unknown } }).spec?.renewTime);
}

/** Waits until an API server is ready. While its cache of roles fills, it refuses even administrators. */
export async function waitForApiServer(
  { kube }: Pick<ProviderContext, "kube">,
  machine: Remote,
  signal: AbortSignal,
): Promise<void> {
  let reason = "";
  await until(
    async () => {
      const answer = limited(kube.readText(machine.connection, "/readyz", signal), signal);
      return await answer.then(
        () => true,
        (error: unknown) => void (reason = messageOf(error)),
      );
    },
    {
      ...{ signal, timeout: API_SECONDS, patience: machine.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step: "starting the API server",
          machine: machine.label,
          cause: `it is not ready after ${seconds} s: ${reason}`,
          action: "see /var/log/pods/*_kube-apiserver-*",
        }),
    },
  );
}
