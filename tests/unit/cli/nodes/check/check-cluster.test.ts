import { beforeEach, describe, expect, test, vi } from "vitest";
import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { checkCluster } from "../../../../../cli/nodes/check/check-cluster";
import { PORTS } from "../../../../../cli/nodes/check/check-objects";
import { checkText } from "../../../../../cli/nodes/check/check-text";
import type { PodAccess } from "../../../../../cli/nodes/check/pod-access";
import type { KubeApi } from "../../../../../provider/kube/api";
import { settle, useFakeTime } from "../../../../support/fake-time";
import { httpError } from "../../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../../support/fake-time"));
useFakeTime();

const IMAGE = "registry.k8s.io/coredns/coredns:v1.14.2";

/** A cluster whose pods become ready, and whose network and DNS work. */
class Cluster {
  nodes: { name: string; ready?: boolean; images?: string[] }[] = [{ name: "cp-1" }, { name: "worker-1" }];
  namespaces = new Map<string, { created: Date }>();
  pods: V1Pod[] = [];
  /** Nodes whose kubelets do not start pods. */
  stuck = new Set<string>();
  hasCoreDns = true;
  serviceAccountAfter = 0;
  token = "";
  readonly services = new Map<string, string>();

  get api(): KubeApi {
    const core = {
      listNode: async () => ({ items: this.nodes.map(nodeOf) }),
      listNamespace: async () => ({
        items: [...this.namespaces].map(([name, { created }]) => ({ metadata: { name, creationTimestamp: created } })),
      }),
      createNamespace: async ({ body }: { body: { metadata: { name: string } } }) =>
        void this.namespaces.set(body.metadata.name, { created: new Date() }),
      deleteNamespace: async ({ name }: { name: string }) => void this.namespaces.delete(name),
      readNamespace: async ({ name }: { name: string }) => {
        if (!this.namespaces.has(name)) throw httpError(404, "not found");
      },
      readNamespacedConfigMap: async () => ({
        data: { Corefile: ".:53 {\n    kubernetes example.org in-addr.arpa\n}" },
      }),
      readNamespacedService: async ({ name }: { name: string }) => ({
        spec: { clusterIP: name === "kube-dns" ? "10.96.0.10" : "10.96.0.1" },
      }),
      createNamespacedConfigMap: async ({ body }: { body: { data: { Corefile: string } } }) =>
        void (this.token = /\$NODE\} (\w+)/.exec(body.data.Corefile)?.[1] ?? ""),
      createNamespacedService: async ({ body }: { body: { metadata: { name: string } } }) => {
        const clusterIP = `10.96.1.${this.services.size}`;
        this.services.set(clusterIP, body.metadata.name);
        return { spec: { clusterIP } };
      },
      createNamespacedPod: async ({ body }: { body: V1Pod }) => {
        if (this.serviceAccountAfter-- > 0) throw httpError(403, 'error: serviceaccount "default" not found');
        this.pods.push(body);
      },
      listNamespacedPod: async () => ({ items: this.pods.map((pod) => ({ ...pod, status: this.statusOf(pod) })) }),
      readNamespacedPodLog: async () => ".:1053\nCoreDNS-1.14.2\n",
    };
    const apps = {
      readNamespacedDeployment: async () => {
        if (!this.hasCoreDns) throw httpError(404, 'deployments.apps "coredns" not found');
        return { spec: { template: { spec: { containers: [{ image: IMAGE }] } } } };
      },
    };
    return { core, apps, patience: 1 } as unknown as KubeApi;
  }

  readonly access: PodAccess = {
    exec: async () => "CoreDNS-1.14.2\n",
    query: async ({ pod }, port, { name }) => {
      const { NODE = "", SERVICE = "" } = this.environmentOf(pod);
      if (port === PORTS.clusterDns)
        return name === "kubernetes.default.svc.example.org"
          ? { code: 0, values: ["10.96.0.1"] }
          : { code: 3, values: [] };
      const target = this.environmentOf(this.services.get(SERVICE) ?? "").NODE;
      return { code: 0, values: [`${port === PORTS.own ? NODE : target} ${this.token}`] };
    },
  };

  environmentOf(pod: string): Record<string, string> {
    const env = this.pods.find(({ metadata }) => metadata?.name === pod)?.spec?.containers[0]?.env ?? [];
    return Object.fromEntries(env.map(({ name, value = "" }) => [name, value]));
  }

  private statusOf(pod: V1Pod): object {
    const isStuck = this.stuck.has(this.environmentOf(pod.metadata?.name ?? "").NODE ?? "");
    if (!isStuck) return { conditions: [{ type: "Ready", status: "True" }] };
    return { containerStatuses: [{ state: { waiting: { reason: "ErrImageNeverPull", message: "no image" } } }] };
  }
}

function nodeOf({ name, ready = true, images = [IMAGE] }: Cluster["nodes"][number]) {
  const status = { conditions: [{ type: "Ready", status: ready ? "True" : "False" }], images: [{ names: images }] };
  return { metadata: { name }, status };
}

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));

async function check(access: Partial<PodAccess> = {}) {
  const { signal } = new AbortController();
  return await settle(checkCluster(cluster.api, { signal, access: { ...cluster.access, ...access } }));
}
const failed = async (access?: Partial<PodAccess>) =>
  (await check(access)).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);

describe("a cluster that works", () => {
  test("passes every check on every node, and the namespace is removed", async () => {
    const results = await check();
    expect(results.map(({ name, ok, detail }) => [name, ok, detail])).toEqual([
      ["nodes", true, "2 of 2 Ready"],
      ...["pods start", "ConfigMap", "Service across nodes", "DNS", "exec", "logs", "port-forward"].map((name) => [
        name,
        true,
        "on cp-1, worker-1",
      ]),
    ]);
    expect([...cluster.namespaces]).toEqual([]);
    expect(checkText(results)).toMatch(/^CHECK .*\n.*\nThe cluster works\.\n$/s);
  });

  test("runs CoreDNS, which is never pulled, and is checked through Services of other nodes", async () => {
    await check();
    expect(cluster.pods.map(({ spec }) => spec?.containers[0])).toMatchObject([
      { image: IMAGE, imagePullPolicy: "Never" },
      { image: IMAGE, imagePullPolicy: "Never" },
    ]);
    expect(cluster.environmentOf("check-1")).toEqual({ NODE: "cp-1", SERVICE: "10.96.1.1", CLUSTER_DNS: "10.96.0.10" });
  });

  test("passes although the namespace's service account comes late", async () => {
    cluster.serviceAccountAfter = 60;
    expect(await failed()).toEqual([]);
  });
});

describe("a failure names the check and the node", () => {
  test("of a node that is not Ready, and the others are checked", async () => {
    cluster.nodes.push({ name: "worker-2", ready: false });
    expect(await failed()).toEqual(["nodes: not Ready: worker-2"]);
    expect(cluster.pods).toHaveLength(2);
  });

  test("of a pod that does not start, and the others are checked", async () => {
    cluster.stuck.add("worker-1");
    expect(await failed()).toEqual(["pods start: worker-1: ErrImageNeverPull: no image"]);
    expect([...cluster.namespaces]).toEqual([]);
  });

  test("of DNS", async () => {
    const query: PodAccess["query"] = async (pod, port, question, signal) =>
      port === PORTS.clusterDns ? { code: 2, values: [] } : cluster.access.query(pod, port, question, signal);
    const problem = "kubernetes.default.svc.example.org is not resolved (DNS code 2)";
    expect(await failed({ query })).toEqual([`DNS: cp-1: ${problem}; worker-1: ${problem}`]);
  });

  test("of a Service that another pod answers", async () => {
    const query: PodAccess["query"] = async (pod, port, question, signal) =>
      cluster.access.query(pod, port === PORTS.service ? PORTS.own : port, question, signal);
    expect(await failed({ query })).toEqual([
      expect.stringMatching(/^Service across nodes: cp-1: the answer is cp-1 \w+; worker-1: the answer is worker-1/),
    ]);
  });

  test("of exec, port-forward and what needs it", async () => {
    const refused = async () => Promise.reject(new Error("connection refused"));
    expect((await failed({ exec: refused, query: refused })).map((text) => text.slice(0, text.indexOf(";")))).toEqual([
      "ConfigMap: cp-1: connection refused",
      "Service across nodes: cp-1: connection refused",
      "DNS: cp-1: connection refused",
      "exec: cp-1: connection refused",
      "port-forward: cp-1: connection refused",
    ]);
  });
});

test("nodes without the image are not checked further, and no image is pulled", async () => {
  cluster.nodes = [{ name: "cp-1" }, { name: "worker-1", images: ["other"] }];
  const [nodes] = await check();
  expect(nodes).toEqual({
    name: "nodes",
    ok: true,
    detail: "2 of 2 Ready; 1 without the image of CoreDNS are not checked further",
  });
  expect(cluster.pods).toHaveLength(1);
});

test("namespaces that an interrupted check left are removed", async () => {
  cluster.namespaces.set("kubewright-check-old", { created: new Date(Date.now() - 3_600_000) });
  cluster.namespaces.set("kubewright-check-other", { created: new Date(Date.now() - 60_000) });
  await check();
  expect([...cluster.namespaces.keys()]).toEqual(["kubewright-check-other"]);
});

test("a cluster without CoreDNS cannot be checked", async () => {
  cluster.hasCoreDns = false;
  await expect(check()).rejects.toThrow(/deployments.apps "coredns" not found; the check needs CoreDNS/);
});
