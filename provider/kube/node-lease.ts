import { setTimeout as sleep } from "node:timers/promises";
import type { KubeApi } from "./api";

/** Seconds: a kubelet renews its lease every 10 s. */
const RENEWAL_SECONDS = 25;
const POLL_MS = 1_000;

/** Returns when the kubelet last renewed its lease; undefined if there is none, or the API server does not answer. */
export async function readLease(api: KubeApi, node: string): Promise<string | undefined> {
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "kube-node-lease", name: node },
  };
  const answer = (await api.objects.read(lease).catch(() => undefined)) as
    { spec?: { renewTime?: unknown } } | undefined;
  return answer?.spec && JSON.stringify(answer.spec.renewTime);
}

/**
 * Watches the lease until the kubelet renews it, for up to 25 s. The condition Ready proves less: it stays True for
 * about 50 s after the last renewal, and forever where no controller manager runs. A request that fails proves nothing,
 * and is repeated.
 */
export async function isRenewingLease(api: KubeApi, node: string, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + RENEWAL_SECONDS * 1000 * api.patience;
  let first = await readLease(api, node);
  while (Date.now() < deadline) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    const last = await readLease(api, node);
    if (last !== undefined && last !== (first ??= last)) return true;
  }
  return false;
}
