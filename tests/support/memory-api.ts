import type {
  V1Node,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Secret,
  V1VolumeAttachment,
} from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../../provider/kube/api";
import { matchingBudgets } from "../../provider/kube/budgets";

/** An error as the API client throws it. */
export function httpError(code: number, message: string): Error {
  return Object.assign(new Error(message), { code, body: JSON.stringify({ kind: "Status", message }) });
}

interface Named {
  name: string;
  namespace?: string;
}

interface ListOptions {
  namespace?: string;
  fieldSelector?: string;
  labelSelector?: string;
}

/** The part of the Kubernetes API that the provider uses, in memory: no controllers, no kubelets, no admission. */
export class MemoryApi {
  readonly nodes = new Map<string, V1Node>();
  readonly pods = new Map<string, V1Pod>();
  readonly budgets = new Map<string, V1PodDisruptionBudget>();
  readonly attachments = new Map<string, V1VolumeAttachment>();
  readonly secrets = new Map<string, V1Secret>();
  readonly claims = new Map<string, V1PersistentVolumeClaim>();
  readonly configMaps = new Map<string, { data?: Record<string, string> }>();
  readonly daemonSets = new Map<string, object>();
  /** Version that the API server reports: `v1.36.3`. */
  apiServerVersion = "v0.0.0";
  /** Names of the requests that were sent, in order, and their arguments. */
  readonly calls: string[] = [];
  readonly requests: { call: string; args: unknown }[] = [];
  /** Called before every request; a returned error is the request's result. */
  inject: (call: string, args: unknown) => Error | undefined = () => undefined;
  private count = 0;

  get api(): KubeApi {
    const group = (methods: Record<string, (args: never) => unknown>) =>
      Object.fromEntries(
        Object.entries(methods).map(([name, method]) => [name, (args: never) => this.request(name, method, args)]),
      );
    return {
      core: group(this.coreMethods()),
      apps: group(this.appsMethods()),
      policy: group(this.policyMethods()),
      storage: group(this.storageMethods()),
      version: group({ getCode: () => ({ gitVersion: this.apiServerVersion }) }),
      mergePatch: {},
      patience: 1,
    } as unknown as KubeApi;
  }

  /** How often a request was sent. */
  countOf(call: string): number {
    return this.calls.filter((one) => one === call).length;
  }

  private async request(name: string, method: (args: never) => unknown, args: never): Promise<unknown> {
    this.calls.push(name);
    this.requests.push({ call: name, args });
    await Promise.resolve();
    const error = this.inject(name, args);
    if (error) throw error;
    return structuredClone(method(args));
  }

  private coreMethods(): Record<string, (args: never) => unknown> {
    return {
      createNode: ({ body }: { body: V1Node }) => create(this.nodes, body, this.meta(body)),
      readNode: ({ name }: Named) => get(this.nodes, name),
      listNode: (options: ListOptions = {}) => list(this.nodes, options),
      patchNode: ({ name, body }: Named & { body: object }) => patch(this.nodes, name, body),
      patchNodeStatus: ({ name, body }: Named & { body: object }) => patch(this.nodes, name, body),
      deleteNode: ({ name }: Named) => remove(this.nodes, name),
      deleteCollectionNode: () => this.nodes.clear(),
      createNamespacedPod: ({ namespace, body }: Named & { body: V1Pod }) =>
        create(this.pods, body, this.meta(body, namespace)),
      patchNamespacedPodStatus: ({ body, ...id }: Named & { body: object }) => patch(this.pods, keyOf(id), body),
      listPodForAllNamespaces: (options: ListOptions = {}) => list(this.pods, options),
      readNamespacedPod: (id: Named) => get(this.pods, keyOf(id)),
      listNamespacedPod: (options: ListOptions) => list(this.pods, options),
      deleteNamespacedPod: (id: Named & { gracePeriodSeconds?: number }) => this.deletePod(keyOf(id), id),
      createNamespacedPodEviction: (args: Named & { body: EvictionBody }) => this.evict(keyOf(args), args.body),
      createNamespacedSecret: ({ namespace, body }: Named & { body: V1Secret }) =>
        create(this.secrets, encoded(body), this.meta(body, namespace)),
      readNamespacedSecret: (id: Named) => get(this.secrets, keyOf(id)),
      deleteNamespacedSecret: (id: Named) => remove(this.secrets, keyOf(id)),
      listSecretForAllNamespaces: () => list(this.secrets, {}),
      replaceNamespacedSecret: ({ body, ...id }: Named & { body: V1Secret }) => patch(this.secrets, keyOf(id), body),
      readNamespacedPersistentVolumeClaim: (id: Named) => get(this.claims, keyOf(id)),
      readNamespacedConfigMap: (id: Named) => get(this.configMaps, keyOf(id)),
      patchNamespacedConfigMap: ({ body, ...id }: Named & { body: object }) => patch(this.configMaps, keyOf(id), body),
    };
  }

  private appsMethods(): Record<string, (args: never) => unknown> {
    return {
      patchNamespacedDaemonSet: ({ body, ...id }: Named & { body: object }) => patch(this.daemonSets, keyOf(id), body),
    };
  }

  private policyMethods(): Record<string, (args: never) => unknown> {
    return {
      listPodDisruptionBudgetForAllNamespaces: () => list(this.budgets, {}),
      createNamespacedPodDisruptionBudget: ({ namespace, body }: Named & { body: V1PodDisruptionBudget }) =>
        create(this.budgets, body, this.meta(body, namespace)),
      readNamespacedPodDisruptionBudget: (id: Named) => get(this.budgets, keyOf(id)),
      patchNamespacedPodDisruptionBudgetStatus: ({ body, ...id }: Named & { body: object }) =>
        patch(this.budgets, keyOf(id), body),
      deleteCollectionNamespacedPodDisruptionBudget: () => this.budgets.clear(),
    };
  }

  private storageMethods(): Record<string, (args: never) => unknown> {
    return {
      createVolumeAttachment: ({ body }: { body: V1VolumeAttachment }) =>
        create(this.attachments, body, this.meta(body)),
      listVolumeAttachment: () => list(this.attachments, {}),
      deleteCollectionVolumeAttachment: () => this.attachments.clear(),
      deleteVolumeAttachment: ({ name }: Named) => remove(this.attachments, name),
    };
  }

  private meta(body: { metadata?: V1ObjectMeta }, namespace?: string): V1ObjectMeta {
    const uid = `uid-${++this.count}`;
    return { ...body.metadata, uid, ...(namespace === undefined ? {} : { namespace }) };
  }

  private deletePod(key: string, { gracePeriodSeconds }: { gracePeriodSeconds?: number }): void {
    const pod = get(this.pods, key);
    if (gracePeriodSeconds === 0) this.pods.delete(key);
    else pod.metadata = { ...pod.metadata, deletionTimestamp: new Date() };
  }

  /** Grants an eviction as the API server does: a PodDisruptionBudget's allowance shrinks with each one. */
  private evict(key: string, { deleteOptions }: EvictionBody): void {
    const pod = get(this.pods, key);
    const uid = deleteOptions?.preconditions?.uid;
    if (uid !== undefined && uid !== pod.metadata?.uid) throw httpError(409, "the UID in the precondition differs");
    const budgets = matchingBudgets(pod, [...this.budgets.values()]);
    if (budgets.length > 1) throw httpError(500, "This pod has more than one PodDisruptionBudget");
    const [budget] = budgets;
    if (budget?.status) {
      if (budget.status.disruptionsAllowed < 1) throw httpError(429, "Cannot evict pod as it would violate the budget");
      budget.status.disruptionsAllowed--;
    }
    this.deletePod(key, deleteOptions ?? {});
  }
}

interface EvictionBody {
  deleteOptions?: { preconditions?: { uid?: string }; gracePeriodSeconds?: number };
}

function keyOf({ namespace, name }: Named): string {
  return `${namespace ?? ""}/${name}`;
}

function get<T>(objects: Map<string, T>, key: string): T {
  const object = objects.get(key);
  if (object === undefined) throw httpError(404, `${key} not found`);
  return object;
}

function create<T extends { metadata?: V1ObjectMeta }>(objects: Map<string, T>, body: T, metadata: V1ObjectMeta): T {
  const name = metadata.name ?? "";
  const key = metadata.namespace === undefined ? name : keyOf({ name, namespace: metadata.namespace });
  if (objects.has(key)) throw httpError(409, `${key} already exists`);
  const object = { ...structuredClone(body), metadata };
  objects.set(key, object);
  return object;
}

function remove<T>(objects: Map<string, T>, key: string): void {
  get(objects, key);
  objects.delete(key);
}

function patch<T>(objects: Map<string, T>, key: string, body: object): T {
  const object = mergePatch(get(objects, key), structuredClone(body)) as T;
  objects.set(key, object);
  return object;
}

/** RFC 7396. */
function mergePatch(target: unknown, body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const result = { ...(typeof target === "object" ? (target as Record<string, unknown>) : {}) };
  for (const [key, value] of Object.entries(body)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = mergePatch(result[key], value);
  }
  return result;
}

type Listed = { metadata?: V1ObjectMeta; spec?: unknown };

function list<T extends Listed>(objects: Map<string, T>, options: ListOptions): { items: T[]; metadata: object } {
  const { namespace, fieldSelector, labelSelector } = options;
  const [, node] = /^spec\.nodeName=(.*)$/.exec(fieldSelector ?? "") ?? [];
  const labels = (labelSelector ?? "").split(",").flatMap((one) => (one === "" ? [] : [one.split("=")]));
  const items = [...objects.values()].filter(
    ({ metadata, spec }) =>
      (namespace === undefined || metadata?.namespace === namespace) &&
      (node === undefined || (spec as { nodeName?: string } | undefined)?.nodeName === node) &&
      labels.every(([key = "", value]) => metadata?.labels?.[key] === value),
  );
  return { items, metadata: {} };
}

function encoded(secret: V1Secret): V1Secret {
  const entries = Object.entries(secret.stringData ?? {});
  return {
    ...secret,
    data: Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text).toString("base64")])),
  };
}
