import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../../provider/kube/api";

const NAMESPACE = "default";

export interface PodWish {
  node: string;
  labels?: Record<string, string>;
  owner?: { kind: string; uid: string };
  ready?: boolean;
  phase?: string;
  emptyDir?: boolean;
  mirror?: boolean;
  requests?: Record<string, string>;
}

/** Nodes and pods without a kubelet: what kubelets and controllers would write, this writes. */
export class FakeCluster {
  private timer: NodeJS.Timeout | undefined;
  private work = Promise.resolve();
  /** Owners whose evicted pods are made again on this node. */
  readonly replaces = new Map<string, string>();
  /** Nodes whose kubelet does not answer: their pods stay Terminating. */
  readonly silent = new Set<string>();
  /** Pods' names in the order in which they began to end. */
  readonly ended: string[] = [];
  private count = 0;

  constructor(private readonly api: KubeApi) {}

  async node(
    name: string,
    settings: {
      ready?: boolean;
      pods?: number;
      taints?: { key: string; effect: string }[];
      labels?: Record<string, string>;
      cordoned?: boolean;
    } = {},
  ): Promise<void> {
    const { ready = true, pods = 110, taints = [], labels = {}, cordoned = false } = settings;
    await this.api.core.createNode({
      body: { metadata: { name, labels }, spec: { taints, ...(cordoned ? { unschedulable: true } : {}) } },
    });
    await this.setReady(name, ready, pods);
  }

  async setReady(name: string, ready: boolean, pods = 110): Promise<void> {
    const size = { cpu: "4", memory: "4Gi", pods: String(pods) };
    const status = {
      conditions: [{ type: "Ready", status: ready ? "True" : "Unknown" }],
      allocatable: size,
      capacity: size,
    };
    await this.api.core.patchNodeStatus({ name, body: { status } }, this.api.mergePatch);
  }

  /** A Ready node whose kubelet says that it is short of something: `DiskPressure`. */
  async pressure(name: string, type: string): Promise<void> {
    const conditions = [
      { type: "Ready", status: "True" },
      { type, status: "True" },
    ];
    await this.api.core.patchNodeStatus({ name, body: { status: { conditions } } }, this.api.mergePatch);
  }

  async pod(name: string, wish: PodWish): Promise<void> {
    const { node, labels = {}, owner, ready = true, phase = "Running", emptyDir, mirror, requests } = wish;
    const body: V1Pod = {
      metadata: {
        name,
        labels,
        ...(mirror ? { annotations: { "kubernetes.io/config.mirror": "x" } } : {}),
        ...(owner ? { ownerReferences: [{ apiVersion: "apps/v1", name: owner.uid, controller: true, ...owner }] } : {}),
      },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 30,
        containers: [{ name: "c", image: "x", ...(requests ? { resources: { requests } } : {}) }],
        ...(emptyDir ? { volumes: [{ name: "scratch", emptyDir: {} }] } : {}),
      },
    };
    await this.api.core.createNamespacedPod({ namespace: NAMESPACE, body });
    const status = { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] };
    await this.api.core.patchNamespacedPodStatus({ name, namespace: NAMESPACE, body: { status } }, this.api.mergePatch);
  }

  async budget(name: string, labels: Record<string, string>, allowed: number): Promise<void> {
    await this.api.policy.createNamespacedPodDisruptionBudget({
      namespace: NAMESPACE,
      body: { metadata: { name }, spec: { minAvailable: 1, selector: { matchLabels: labels } } },
    });
    await this.allow(name, allowed);
  }

  /** What the disruption controller would count. */
  async allow(name: string, disruptionsAllowed: number): Promise<void> {
    const live = await this.api.policy.readNamespacedPodDisruptionBudget({ name, namespace: NAMESPACE });
    const status = {
      disruptionsAllowed,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
      observedGeneration: live.metadata?.generation ?? 1,
    };
    await this.api.policy.patchNamespacedPodDisruptionBudgetStatus(
      { name, namespace: NAMESPACE, body: { status } },
      this.api.mergePatch,
    );
  }

  /** Plays kubelets and controllers, every 100 ms. */
  run(): void {
    this.timer = setInterval(() => {
      this.work = this.work.then(() => this.play()).catch(() => undefined);
    }, 100);
  }

  private async play(): Promise<void> {
    const { items } = await this.api.core.listNamespacedPod({ namespace: NAMESPACE });
    for (const { metadata, spec } of items) {
      const name = metadata?.name ?? "";
      if (!metadata?.deletionTimestamp || this.silent.has(spec?.nodeName ?? "")) continue;
      if (!this.ended.includes(name)) this.ended.push(name);
      await this.api.core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 });
      const owner = metadata.ownerReferences?.[0];
      const home = owner && this.replaces.get(owner.uid);
      if (home)
        await this.pod(`${owner.uid}-again-${++this.count}`, {
          node: home,
          owner: { kind: owner.kind, uid: owner.uid },
          labels: metadata.labels ?? {},
        });
    }
  }

  async pods(node: string): Promise<string[]> {
    const { items } = await this.api.core.listNamespacedPod({
      namespace: NAMESPACE,
      fieldSelector: `spec.nodeName=${node}`,
    });
    return items.map(({ metadata }) => metadata?.name ?? "").sort();
  }

  async isCordoned(name: string): Promise<boolean> {
    return (await this.api.core.readNode({ name })).spec?.unschedulable === true;
  }

  async clear(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
    const { items } = await this.api.core.listNamespacedPod({ namespace: NAMESPACE });
    for (const { metadata } of items)
      await this.api.core
        .deleteNamespacedPod({ name: metadata?.name ?? "", namespace: NAMESPACE, gracePeriodSeconds: 0 })
        .catch(() => undefined);
    await this.api.policy.deleteCollectionNamespacedPodDisruptionBudget({ namespace: NAMESPACE });
    await this.api.core.deleteCollectionNode({});
  }
}
