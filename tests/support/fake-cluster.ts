import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../../provider/kube/api";
import { MemoryApi } from "./memory-api";

const NAMESPACE = "default";
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export interface PodOptions {
  node: string;
  labels?: Record<string, string>;
  owner?: { kind: string; uid: string };
  ready?: boolean;
  phase?: string;
  emptyDir?: boolean;
  mirror?: boolean;
  requests?: Record<string, string>;
  tolerations?: { key?: string; operator?: string; effect?: string }[];
  /** Name of a PersistentVolumeClaim that the pod mounts. */
  claim?: string;
}

interface NodeOptions {
  ready?: boolean;
  pods?: number;
  taints?: { key: string; effect: string }[];
  labels?: Record<string, string>;
  cordoned?: boolean;
}

/** Returns an API in memory, and a cluster that has Ready nodes of these names. */
export async function fakeCluster(...nodes: readonly string[]): Promise<{ memory: MemoryApi; cluster: FakeCluster }> {
  const memory = new MemoryApi();
  const cluster = new FakeCluster(memory.api);
  for (const node of nodes) await cluster.node(node);
  return { memory, cluster };
}

/** Nodes and pods of a cluster without kubelets and controllers, whose part this class plays. */
export class FakeCluster {
  private timer: NodeJS.Timeout | undefined;
  private work = Promise.resolve();
  /** Node for the replacement of an evicted pod, by the uid of the pod's owner. */
  readonly replaces = new Map<string, string>();
  /** Nodes whose kubelet does not respond: their pods stay Terminating. */
  readonly silent = new Set<string>();
  /** Names of the pods that have terminated, in order. */
  readonly ended: string[] = [];
  /** Whether pods and volumes of a node with the out-of-service taint are deleted, as the controller manager does. */
  hasControllerManager = true;
  private count = 0;

  constructor(private readonly api: KubeApi) {}

  async node(name: string, options: NodeOptions = {}): Promise<void> {
    const { ready = true, pods = 110, taints = [], labels = {}, cordoned = false } = options;
    const spec = { taints, ...(cordoned ? { unschedulable: true } : {}) };
    await this.api.core.createNode({ body: { metadata: { name, labels }, spec } });
    await this.setReady(name, ready, pods);
  }

  async setReady(name: string, ready: boolean, pods = 110): Promise<void> {
    const capacity = { cpu: "4", memory: "4Gi", pods: String(pods) };
    const conditions = [{ type: "Ready", status: ready ? "True" : "Unknown" }];
    const status = { conditions, allocatable: capacity, capacity };
    await this.api.core.patchNodeStatus({ name, body: { status } }, this.api.mergePatch);
  }

  /** Makes a Ready node report a pressure condition: `DiskPressure`. */
  async pressure(name: string, type: string): Promise<void> {
    const conditions = [
      { type: "Ready", status: "True" },
      { type, status: "True" },
    ];
    await this.api.core.patchNodeStatus({ name, body: { status: { conditions } } }, this.api.mergePatch);
  }

  async pod(name: string, options: PodOptions): Promise<void> {
    const { ready = true, phase = "Running" } = options;
    await this.api.core.createNamespacedPod({ namespace: NAMESPACE, body: podOf(name, options) });
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

  /** Sets how many evictions a budget allows, as the disruption controller does. */
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

  /** Attaches a persistent volume to a node. */
  async attach(volume: string, node: string): Promise<void> {
    const spec = { attacher: "x", nodeName: node, source: { persistentVolumeName: volume } };
    await this.api.storage.createVolumeAttachment({ body: { metadata: { name: `attach-${volume}` }, spec } });
  }

  async detach(volume: string): Promise<void> {
    await this.api.storage.deleteVolumeAttachment({ name: `attach-${volume}` });
  }

  /** Plays the kubelets and controllers every 100 ms. */
  run(): void {
    this.timer = setInterval(() => {
      this.work = this.work.then(() => this.reconcile()).catch(() => undefined);
    }, 100);
  }

  private async reconcile(): Promise<void> {
    if (this.hasControllerManager) await this.clearOutOfService();
    const { items } = await this.api.core.listNamespacedPod({ namespace: NAMESPACE });
    for (const pod of items) {
      if (pod.metadata?.deletionTimestamp && !this.silent.has(pod.spec?.nodeName ?? "")) await this.terminate(pod);
    }
  }

  private async terminate({ metadata }: V1Pod): Promise<void> {
    const name = metadata?.name ?? "";
    if (!this.ended.includes(name)) this.ended.push(name);
    await this.api.core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 });
    const owner = metadata?.ownerReferences?.[0];
    const node = owner && this.replaces.get(owner.uid);
    if (!node) return;
    const labels = metadata?.labels ?? {};
    await this.pod(`${owner.uid}-again-${++this.count}`, { node, owner: { kind: owner.kind, uid: owner.uid }, labels });
  }

  private async clearOutOfService(): Promise<void> {
    const nodes = await this.api.core.listNode();
    for (const { metadata, spec } of nodes.items) {
      if (!spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) continue;
      for (const pod of await this.podsOf(metadata?.name ?? "")) if (!toleratesAll(pod)) await this.terminate(pod);
      const attachments = await this.api.storage.listVolumeAttachment();
      for (const {
        metadata: attachment,
        spec: { nodeName },
      } of attachments.items) {
        if (nodeName === metadata?.name)
          await this.api.storage.deleteVolumeAttachment({ name: attachment?.name ?? "" });
      }
    }
  }

  private async podsOf(node: string): Promise<V1Pod[]> {
    const fieldSelector = `spec.nodeName=${node}`;
    return (await this.api.core.listNamespacedPod({ namespace: NAMESPACE, fieldSelector })).items;
  }

  /** Returns the names of a node's pods, sorted. */
  async pods(node: string): Promise<string[]> {
    return (await this.podsOf(node)).map(({ metadata }) => metadata?.name ?? "").sort();
  }

  async isCordoned(name: string): Promise<boolean> {
    return (await this.api.core.readNode({ name })).spec?.unschedulable === true;
  }

  /** Deletes everything that a test has created. */
  async clear(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
    const { items } = await this.api.core.listNamespacedPod({ namespace: NAMESPACE });
    for (const { metadata } of items) {
      await this.api.core
        .deleteNamespacedPod({ name: metadata?.name ?? "", namespace: NAMESPACE, gracePeriodSeconds: 0 })
        .catch(() => undefined);
    }
    await this.api.policy.deleteCollectionNamespacedPodDisruptionBudget({ namespace: NAMESPACE });
    await this.api.storage.deleteCollectionVolumeAttachment({});
    await this.api.core.deleteCollectionNode({});
  }
}

function podOf(name: string, options: PodOptions): V1Pod {
  const { node, labels = {}, owner, emptyDir, mirror, requests, tolerations, claim } = options;
  const volumes = [
    ...(emptyDir ? [{ name: "scratch", emptyDir: {} }] : []),
    ...(claim === undefined ? [] : [{ name: "data", persistentVolumeClaim: { claimName: claim } }]),
  ];
  return {
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
      ...(volumes.length > 0 ? { volumes } : {}),
      ...(tolerations ? { tolerations } : {}),
    },
  };
}

/** As pods of the DaemonSets kube-proxy and flannel do. */
function toleratesAll({ metadata }: V1Pod): boolean {
  return metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet") === true;
}
