import type { Stack } from "@pulumi/pulumi/automation";
import type { KubeApi } from "../../../provider/kube/api";
import type { Session } from "../../../cli/engine/session";

export interface FakeResource {
  type: string;
  name: string;
  /** Type and name of its parent: `kubewright:components:Worker::worker-1`. */
  parent?: string;
  inputs?: object;
  outputs?: object;
  deletedWith?: string;
  pendingReplacement?: boolean;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
}

export function urnOf(type: string, name: string): string {
  return `urn:pulumi:dev::kubewright::${type}::${name}`;
}

/** A stack whose state has these resources. Further methods can be given. */
export function fakeStack(resources: readonly FakeResource[] = [], methods: object = {}): Stack {
  const exported = resources.map(({ type, name, parent, ...rest }) => ({
    ...rest,
    type,
    urn: urnOf(type, name),
    ...(parent ? { parent: `urn:pulumi:dev::kubewright::${parent}` } : {}),
  }));
  const exportStack = async () => ({ version: 3, deployment: { resources: exported } });
  return { name: "dev", exportStack, workspace: { workDir: "/" }, ...methods } as unknown as Stack;
}

const connection = (name: string, host: string) => ({ name, host });

/** The resources of a cluster with one control plane and one worker. */
export const CLUSTER: readonly FakeResource[] = [
  host("control-plane-1", "10.0.0.10"),
  { type: "kubewright:kubeadm:Init", name: "control-plane-1-init" },
  {
    type: "kubewright:kube:Node",
    name: "control-plane-1-node",
    inputs: { node: "control-plane-1", controlPlanes: [connection("control-plane-1", "10.0.0.10")] },
  },
  { ...host("worker-1", "10.0.0.11"), deletedWith: urnOf("kubewright:docker:Machine", "worker-1") },
  { type: "kubewright:components:Worker", name: "worker-1" },
  { type: "kubewright:kubeadm:Join", name: "worker-1-join", parent: "kubewright:components:Worker::worker-1" },
];

function host(name: string, address: string): FakeResource {
  return {
    type: "kubewright:host:Host",
    name: `${name}-host`,
    inputs: { connection: connection(name, address) },
    outputs: { instance: `id-of-${name}`, hostKey: "ssh-ed25519 AAAA" },
  };
}

export interface FakeNode {
  name: string;
  ready?: boolean;
  /** Conditions that are True although they must be False. */
  conditions?: readonly string[];
  cordoned?: boolean;
  labels?: Record<string, string>;
  /** Pods of the node that its kubelet evicted. */
  evicted?: number;
}

/** An API that lists these nodes. */
export function fakeApi(...nodes: readonly FakeNode[]): KubeApi {
  const core = {
    listNode: async () => ({ items: nodes.map(nodeOf) }),
    listPodForAllNamespaces: async () => ({ items: nodes.flatMap(podsOf) }),
  };
  return { core, patience: 1 } as unknown as KubeApi;
}

function nodeOf({ name, ready = true, conditions = [], cordoned = false, labels = {} }: FakeNode) {
  return {
    metadata: { name, labels, creationTimestamp: new Date(Date.now() - 300_000) },
    spec: { unschedulable: cordoned },
    status: {
      nodeInfo: { kubeletVersion: "v1.36.3", containerRuntimeVersion: "containerd://2.4.2" },
      allocatable: { pods: "110" },
      addresses: [{ type: "InternalIP", address: "10.0.0.11" }],
      conditions: [
        { type: "Ready", status: ready ? "True" : "Unknown", message: "Kubelet stopped posting node status." },
        ...conditions.map((type) => ({ type, status: "True" })),
      ],
    },
  };
}

function podsOf({ name, evicted = 0 }: FakeNode) {
  const lost = { spec: { nodeName: name }, status: { phase: "Failed", reason: "Evicted" } };
  return [{ spec: { nodeName: name }, status: { phase: "Running" } }, ...Array<object>(evicted).fill(lost)];
}

/** A session whose API client is `api`; it collects the progress lines. */
export function fakeSession(
  api: () => Promise<KubeApi> = () => Promise.reject(new Error("there is no API")),
): Session & { lines: string[]; asked: unknown[] } {
  const lines: string[] = [];
  const asked: unknown[] = [];
  const provider = {
    kube: { api: async (machines: unknown) => (asked.push(machines), await api()) },
    connections: { get: (connection: object) => ({ ...connection, connection }), closeAll: () => undefined },
  };
  const line = (text: string) => void lines.push(text);
  const screen = { live: false, line, show: () => undefined, close: () => undefined };
  const signal = new AbortController().signal;
  return { screen, signal, progress: line, provider, lines, asked } as unknown as Session & {
    lines: string[];
    asked: unknown[];
  };
}
