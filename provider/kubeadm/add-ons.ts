import type { V1Container, V1DaemonSet, V1Deployment } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import type { KubeApi } from "../kube/api";
import { readWithCause } from "../kube/errors";
import { retryRequest } from "../kube/retry";
import { untilReplaced } from "../kube/until-replaced";
import type { Context } from "../rpc/handler";

const NAMESPACE = "kube-system";

/** An add-on that kubeadm deploys: its workload, which has one container of the same name. */
export interface AddOn {
  kind: "DaemonSet" | "Deployment";
  name: "kube-proxy" | "coredns";
}

export const KUBE_PROXY: AddOn = { kind: "DaemonSet", name: "kube-proxy" };
export const CORE_DNS: AddOn = { kind: "Deployment", name: "coredns" };

/** Returns the image of an add-on. */
export async function readImage(api: KubeApi, addOn: AddOn, signal: AbortSignal): Promise<string | undefined> {
  const live = await retryRequest(api, `reading ${addOn.name}`, signal, () => readWorkload(api, addOn));
  return containerOf(live, addOn)?.image;
}

/**
 * Changes the image of an add-on, and waits until all its pods run the new one. Does nothing if it has the image.
 * @throws StepError at the deadline, with the number of pods that are not ready
 */
export async function rollImage(
  context: Context,
  api: KubeApi,
  { addOn, image, timeout }: { addOn: AddOn; image: string; timeout: number },
): Promise<void> {
  const { signal, status } = context;
  if ((await readImage(api, addOn, signal)) === image) return;
  status(`${addOn.name} is replaced by ${image}`);
  await retryRequest(api, `changing the image of ${addOn.name}`, signal, () => patchImage(api, addOn, image));
  const replaced = { what: addOn.name, previous: "image", namespace: NAMESPACE, timeout };
  await untilReplaced(api, { ...replaced, signal, status }, async () => {
    const { answer, cause } = await readWithCause(readWorkload(api, addOn), describePods);
    return answer && isRolledOut(answer) ? "" : cause;
  });
}

type Workload = V1DaemonSet | V1Deployment;

async function readWorkload(api: KubeApi, { kind, name }: AddOn): Promise<Workload> {
  const what = { namespace: NAMESPACE, name };
  return kind === "DaemonSet"
    ? await api.apps.readNamespacedDaemonSet(what)
    : await api.apps.readNamespacedDeployment(what);
}

async function patchImage(api: KubeApi, { kind, name }: AddOn, image: string): Promise<void> {
  const { setHeaderOptions, PatchStrategy } = await import("@kubernetes/client-node");
  const strategic = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
  const body = { spec: { template: { spec: { containers: [{ name, image }] } } } };
  const patch = { namespace: NAMESPACE, name, body };
  if (kind === "DaemonSet") await api.apps.patchNamespacedDaemonSet(patch, strategic);
  else await api.apps.patchNamespacedDeployment(patch, strategic);
}

function containerOf({ spec }: Workload, { name }: AddOn): V1Container | undefined {
  return spec?.template.spec?.containers.find((container) => container.name === name);
}

interface PodCounts {
  wanted: number;
  updated: number;
  ready: number;
}

function countPods({ status = {}, spec }: Workload): PodCounts {
  if ("desiredNumberScheduled" in status) {
    const { desiredNumberScheduled: wanted, updatedNumberScheduled: updated = 0, numberAvailable: ready = 0 } = status;
    return { wanted, updated, ready };
  }
  const { updatedReplicas: updated = 0, availableReplicas: ready = 0, replicas = 0 } = status;
  const wanted = spec && "replicas" in spec ? (spec.replicas ?? 1) : 1;
  // Pods of the previous image count until they are gone.
  return { wanted, updated: replicas > wanted ? 0 : updated, ready };
}

function isRolledOut(workload: Workload): boolean {
  const { wanted, updated, ready } = countPods(workload);
  return workload.status?.observedGeneration === workload.metadata?.generation && updated >= wanted && ready >= wanted;
}

function describePods(workload: Workload | undefined): string {
  if (!workload) return "it does not exist";
  const { wanted, updated, ready } = countPods(workload);
  return `${updated} of ${wanted} pods have the new image, ${ready} are ready`;
}
