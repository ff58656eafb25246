import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "../../provider/kube/api";
import { retryRequest } from "../../provider/kube/retry";

/** Time limit until all pods are available again. */
const TIMEOUT_SECONDS = 300;

/** Names of the Deployments and StatefulSets whose replicas are all available. */
export async function availableWorkloads(api: KubeApi, signal: AbortSignal): Promise<Set<string>> {
  return new Set((await workloads(api, signal)).filter(({ missing }) => missing === 0).map(({ name }) => name));
}

/** Waits until workloads that were available are available again, or are deleted. */
export async function waitForWorkloads(api: KubeApi, before: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  let unavailable: string[] = [];
  await until(
    async () => {
      const short = (await workloads(api, signal)).filter(({ name, missing }) => missing > 0 && before.has(name));
      unavailable = short.map(({ name, missing }) => `${name} (${missing} missing)`);
      return short.length === 0 ? true : undefined;
    },
    {
      signal,
      timeout: TIMEOUT_SECONDS,
      onTimeout: () =>
        new StepError({
          step: "waiting for the moved pods",
          cause: unavailable.join(", "),
          action: "see `kubectl get pods -A`, and run `kubectl describe` for a pod that is not Ready",
        }),
    },
  );
}

interface Workload {
  name: string;
  missing: number;
}

async function workloads(api: KubeApi, signal: AbortSignal): Promise<Workload[]> {
  const [deployments, sets] = await retryRequest(api, "listing workloads", signal, () =>
    Promise.all([api.apps.listDeploymentForAllNamespaces(), api.apps.listStatefulSetForAllNamespaces()]),
  );
  return [...deployments.items, ...sets.items].map(({ kind, metadata, spec, status }) => ({
    name: `${metadata?.namespace ?? ""}/${metadata?.name ?? kind ?? ""}`,
    missing: Math.max((spec?.replicas ?? 1) - (status?.availableReplicas ?? 0), 0),
  }));
}
