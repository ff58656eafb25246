import type { V1ConfigMap, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { describe, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import {
  countPods,
  outdatedPods,
  podsToReplace,
  podsWithOldToken,
  replaceSystemPods,
  workloadsOf,
} from "../../../../provider/rotation/outdated-pods";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const at = (second: number) => new Date(Date.UTC(2026, 10, 27, 0, 0, second));

interface PodParts {
  name?: string;
  namespace?: string;
  owner?: string;
  created?: number;
  ready?: boolean;
  deleted?: boolean;
  mounts?: boolean;
}

function pod({ name = "p", namespace = "shop", owner = "web", created = 0, ...rest }: PodParts = {}): V1Pod {
  const { ready = true, deleted = false, mounts = true } = rest;
  const sources = [{ serviceAccountToken: { path: "token" } }, { configMap: { name: "kube-root-ca.crt" } }];
  return {
    metadata: {
      ...{ name, namespace, uid: name, creationTimestamp: at(created) },
      ownerReferences: [{ kind: "ReplicaSet", name: owner, uid: owner, apiVersion: "apps/v1", controller: true }],
      ...(deleted ? { deletionTimestamp: at(9) } : {}),
    },
    spec: { containers: [], volumes: mounts ? [{ name: "access", projected: { sources } }] : [] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

const published = (second: number, namespace = "shop"): V1ConfigMap => ({
  metadata: { namespace, creationTimestamp: at(0), managedFields: [{ time: at(second) }] },
});

test("pods are outdated that started before the CAs were last published in their namespace", () => {
  const pods = [pod({ name: "old", created: 4 }), pod({ name: "same", created: 5 }), pod({ name: "new", created: 6 })];
  const maps = [published(5), published(9, "other")];
  expect(outdatedPods(pods, maps).map(({ metadata }) => metadata?.name)).toEqual(["old", "same"]);
  expect(outdatedPods([pod({ created: 4, mounts: false })], maps)).toEqual([]);
  const mirror = pod({ created: 4 });
  mirror.metadata!.annotations = { "kubernetes.io/config.mirror": "x" };
  expect(outdatedPods([mirror], maps)).toEqual([]);
});

test("pods with a token from before the new key are known until an hour has passed", () => {
  const names = (since: number) => podsWithOldToken([pod({ created: 5 })], at(since).getTime()).length;
  expect([names(4), names(5), names(6)]).toEqual([0, 1, 1]);
});

test("workloads are named once", () => {
  expect(workloadsOf([pod({ name: "a" }), pod({ name: "b" })])).toEqual(["shop/ReplicaSet/web"]);
});

describe("pods are replaced one after the other", () => {
  const names = (pods: V1Pod[]) => pods.map(({ metadata }) => metadata?.name);
  const [a, b] = [pod({ name: "a" }), pod({ name: "b" })];

  test("one of each workload at a time", () => {
    const c = pod({ name: "c", owner: "dns" });
    expect(names(podsToReplace([a, b, c], [a, b, c], countPods([a, b, c])))).toEqual(["a", "c"]);
  });

  test("not while another one of the workload is missing, ends, or is not Ready", () => {
    const counts = countPods([a, b]);
    expect(podsToReplace([b], [b], counts)).toEqual([]);
    expect(podsToReplace([b], [pod({ name: "a", deleted: true }), b], counts)).toEqual([]);
    expect(podsToReplace([b], [pod({ name: "a2", created: 9, ready: false }), b], counts)).toEqual([]);
    expect(names(podsToReplace([b], [pod({ name: "a2", created: 9 }), b], counts))).toEqual(["b"]);
  });
});

test("system pods are replaced until none is outdated; those of users stay", async () => {
  let pods = ["dns-1", "dns-2"].map((name) => pod({ name, namespace: "kube-system", owner: "dns" }));
  const users = pod({ name: "web-1" });
  const deleted: string[] = [];
  const core = {
    listPodForAllNamespaces: async () => ({ items: [...pods, users] }),
    listConfigMapForAllNamespaces: async () => ({ items: [published(5, "kube-system"), published(5)] }),
    deleteNamespacedPod: async ({ name }: { name: string }) => {
      deleted.push(name);
      const replacement = pod({ name: `${name}-new`, namespace: "kube-system", owner: "dns", created: 8 });
      pods = [...pods.filter(({ metadata }) => metadata?.name !== name), replacement];
    },
  };
  const api = { core, patience: 0.05 } as unknown as KubeApi;
  await replaceSystemPods(api, { signal: new AbortController().signal, status: () => undefined });
  expect(deleted).toEqual(["dns-1", "dns-2"]);
});
