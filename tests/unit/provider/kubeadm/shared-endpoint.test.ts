import { beforeEach, describe, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import {
  changeAdminEndpoint,
  changeSharedEndpoint,
  readSharedEndpoints,
} from "../../../../provider/kubeadm/shared-endpoint";
import { serverOf } from "../../../../render/kubeconfig-server";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const OLD = "10.0.0.1:6443";
const NEW = "api.dev.internal:7443";
const FLANNEL_PODS = ["restart kube-flannel-ds", "delete a", "delete b", "delete c"];
const signal = new AbortController().signal;
const kubeconfig = (server: string) => `clusters:\n- cluster:\n    server: https://${server}\n  name: ""\n`;

/** A cluster's ConfigMaps and DaemonSets, and the order in which they changed. */
class Cluster {
  readonly texts = new Map([
    ["cluster-info", kubeconfig(OLD)],
    ["kube-proxy", kubeconfig(OLD)],
  ]);
  readonly daemonSets = new Set(["kube-proxy", "kube-flannel-ds"]);
  readonly changes: string[] = [];
  unavailable = 0;
  /** The address that flannel's pods have, by node. */
  readonly flannelPods = new Map(["a", "b", "c"].map((node) => [node, OLD]));

  get api(): KubeApi {
    const key = (name: string) => (name === "cluster-info" ? "kubeconfig" : "kubeconfig.conf");
    return {
      patience: 1,
      core: {
        readNamespacedConfigMap: async ({ name }: { name: string }) => ({
          data: { [key(name)]: this.texts.get(name) },
        }),
        patchNamespacedConfigMap: async ({ name, body }: { name: string; body: { data: Record<string, string> } }) => {
          this.changes.push(name);
          this.texts.set(name, body.data[key(name)] ?? "");
        },
        listNamespacedPod: async () => ({ items: [...this.flannelPods].map(flannelPod) }),
        deleteNamespacedPod: async ({ name }: { name: string }) => {
          this.changes.push(`delete ${name}`);
          this.flannelPods.set(name, NEW);
        },
      },
      apps: {
        patchNamespacedDaemonSet: async ({ name }: { name: string }) => {
          if (!this.daemonSets.has(name)) throw httpError(404, "not found");
          this.changes.push(`restart ${name}`);
          return { spec: { updateStrategy: { type: name === "kube-flannel-ds" ? "OnDelete" : "RollingUpdate" } } };
        },
        readNamespacedDaemonSet: async () => ({
          metadata: { generation: 2 },
          spec: { selector: { matchLabels: {} } },
          status: {
            observedGeneration: 2,
            desiredNumberScheduled: 3,
            updatedNumberScheduled: 3,
            numberUnavailable: this.unavailable,
          },
        }),
      },
    } as unknown as KubeApi;
  }
}

function flannelPod([name, address]: [string, string]): object {
  return {
    metadata: {
      name,
      annotations: { "kubewright.dev/api-endpoint": address },
      ownerReferences: [{ kind: "DaemonSet", name: "kube-flannel-ds", controller: true }],
    },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
}

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
const change = () =>
  settle(changeSharedEndpoint(cluster.api, { endpoint: NEW, timeout: 60, signal, status: () => undefined }));

describe("the address that all nodes share", () => {
  test("changes in cluster-info last, after the pods that use it", async () => {
    await change();
    expect(cluster.changes).toEqual(["kube-proxy", "restart kube-proxy", ...FLANNEL_PODS, "cluster-info"]);
    expect(await readSharedEndpoints(cluster.api, signal)).toEqual([NEW, NEW]);
  });

  test("restarts nothing in a cluster that has it already", async () => {
    for (const name of cluster.texts.keys()) cluster.texts.set(name, kubeconfig(NEW));
    await change();
    expect(cluster.changes).toEqual([]);
  });

  test("is completed after an interruption", async () => {
    cluster.texts.set("kube-proxy", kubeconfig(NEW));
    await change();
    expect(cluster.changes).toEqual(["restart kube-proxy", ...FLANNEL_PODS, "cluster-info"]);
  });

  test("changes in a cluster that has no flannel", async () => {
    cluster.daemonSets.delete("kube-flannel-ds");
    await change();
    expect(cluster.changes.at(-1)).toBe("cluster-info");
  });

  test("leaves cluster-info as it is while a new pod is not Ready", async () => {
    cluster.unavailable = 1;
    await expect(change()).rejects.toThrow(/restarting kube-proxy failed: 1 of 3 pods are not Ready after 60 s/);
    expect(serverOf(cluster.texts.get("cluster-info") ?? "")).toBe(OLD);
  });
});

test("the administrator's kubeconfigs on a control plane change, and stay readable by root only", async () => {
  const machine = new MemoryMachine();
  machine.files.set("/etc/kubernetes/admin.conf", { content: kubeconfig(OLD), mode: "0600" });
  vi.useRealTimers();
  await changeAdminEndpoint(machine.context().connections.get(machine.connection), NEW, signal);
  expect([...machine.files]).toEqual([["/etc/kubernetes/admin.conf", { content: kubeconfig(NEW), mode: "0600" }]]);
});
