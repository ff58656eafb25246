import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { until } from "../../../common/wait";
import type { KubeApi } from "../../../provider/kube/api";
import { isPodReady } from "../../../provider/kube/pods";
import { retryRequest } from "../../../provider/kube/retry";
import type { CheckedPod, CheckResult } from "./pod-checks";

const START_SECONDS = 60;

/** Waits until the pods are ready. Those that are not in time are reported, and not used. */
export async function waitForPods(
  api: KubeApi,
  pods: readonly CheckedPod[],
  signal: AbortSignal,
): Promise<{ running: CheckedPod[]; result: CheckResult }> {
  const namespace = pods[0]?.namespace ?? "";
  let live: V1Pod[] = [];
  const find = ({ pod }: CheckedPod) => live.find(({ metadata }) => metadata?.name === pod);
  const isRunning = (pod: CheckedPod) => live.some((one) => one.metadata?.name === pod.pod && isPodReady(one));
  const areAllReady = async () => {
    live = (await retryRequest(api, "listing pods", signal, () => api.core.listNamespacedPod({ namespace }))).items;
    return pods.every(isRunning) || undefined;
  };
  const limit = { signal, timeout: START_SECONDS, patience: api.patience, onTimeout: () => new NotReady() };
  await until(areAllReady, limit).catch((error: unknown) => {
    if (!(error instanceof NotReady)) throw error;
  });
  const running = pods.filter(isRunning);
  const problems = pods.filter((pod) => !running.includes(pod)).map((pod) => `${pod.node}: ${describePod(find(pod))}`);
  const ok = problems.length === 0;
  const detail = ok ? `on ${running.map(({ node }) => node).join(", ")}` : problems.join("; ");
  return { running, result: { name: "pods start", ok, detail } };
}

class NotReady extends Error {}

/** Returns why a pod is not ready: what the scheduler or the kubelet reports. */
function describePod(pod: V1Pod | undefined): string {
  const status = pod?.status;
  const container = status?.containerStatuses?.[0];
  const state = container?.state?.waiting ?? container?.lastState?.terminated ?? container?.state?.terminated;
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (state) return [state.reason, state.message].filter(Boolean).join(": ");
  if (scheduled?.status === "False") return scheduled.message ?? "not scheduled";
  return status?.phase === "Running" ? "its container does not become ready" : (status?.phase ?? "it does not exist");
}
