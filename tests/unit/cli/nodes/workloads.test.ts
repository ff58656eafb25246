import { expect, test } from "vitest";
import { availableWorkloads, waitForWorkloads } from "../../../../cli/nodes/workloads";
import type { KubeApi } from "../../../../provider/kube/api";

interface Workload {
  name: string;
  replicas: number;
  available: number;
}

/** An API whose workloads are, in each listing, those of the next entry. */
function api(...listings: Workload[][]): KubeApi {
  let next = 0;
  const listed = () => listings[Math.min(next++, listings.length - 1)] ?? [];
  const apps = {
    listDeploymentForAllNamespaces: async () => ({
      items: listed().map(({ name, replicas, available }) => ({
        metadata: { namespace: "default", name },
        spec: { replicas },
        status: { availableReplicas: available },
      })),
    }),
    listStatefulSetForAllNamespaces: async () => ({ items: [] }),
  };
  return { apps, patience: 1 } as unknown as KubeApi;
}

const signal = new AbortController().signal;
const web = (available: number) => ({ name: "web", replicas: 2, available });
const broken = { name: "broken", replicas: 1, available: 0 };

test("workloads with all replicas are available", async () => {
  expect([...(await availableWorkloads(api([web(2), broken]), signal))]).toEqual(["default/web"]);
});

test("waits until a workload that was available is available again, and for no other", async () => {
  await waitForWorkloads(api([web(1), broken], [web(2), broken]), new Set(["default/web"]), signal);
});

test("a workload that was deleted is not waited for", async () => {
  await waitForWorkloads(api([]), new Set(["default/web"]), signal);
});
