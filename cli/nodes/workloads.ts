import { StepError } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "../../provider/kube/api";
import { retryRequest } from "../../provider/kube/retry";

const BACK_SECONDS = 300;

/** Deployments and StatefulSets that have all the pods that they want. */
export async function wholeWorkloads(api: KubeApi, signal: AbortSignal): Promise<Set<string>> {
  return new Set((await workloads(api, signal)).filter(({ missing }) => missing === 0).map(({ name }) => name));
}

/** Ends when those that were whole are whole again, or are gone. */
export async function untilWhole(api: KubeApi, before: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  let waiting: string[] = [];
  await until(
    async () => {
      const short = (await workloads(api, signal)).filter(({ name, missing }) => missing > 0 && before.has(name));
      waiting = short.map(({ name, missing }) => `${name} (${missing} missing)`);
      return short.length === 0 ? true : undefined;
    },
    {
      signal,
      timeout: BACK_SECONDS,
      onTimeout: () =>
        new StepError({
          step: "waiting for the pods to be back",
          cause: waiting.join(", "),
          action: "see `kubectl get pods -A` and `kubectl describe` on one that is not Ready",
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
