import { parse } from "yaml";
import { configHash } from "../../render/json";
import type { KubeApi } from "../../provider/kube/api";
import type { Faults } from "./faults";
import { MemoryApi, httpError } from "./memory-api";

export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

interface Deployment {
  namespace: string;
  name: string;
  body?: object;
}

type Methods = Record<string, (...args: never[]) => Promise<unknown>>;

/** The Kubernetes API in memory, of which each request can fail before or after its work. */
export class NodeApi {
  readonly memory = new MemoryApi();
  readonly objects = new Map<string, ApiObject>();
  readonly deployments = new Map<string, object>();
  /** Called before each request: what kubelets and controllers have done since the last one. */
  reconcile: () => void = () => undefined;

  constructor(
    private readonly faults: Faults,
    private readonly caCertificate: string,
  ) {}

  /** Opens the API. Reading the administrator's kubeconfig is a step too. */
  async open(): Promise<KubeApi> {
    const { core, policy, storage, ...rest } = this.memory.api;
    const groups = { core, policy, storage, objects: this.objectMethods(), apps: this.appsMethods() };
    const wrapped = Object.entries(groups).map(([name, group]) => [name, this.wrap(group as unknown as Methods)]);
    const api = { ...rest, caCertificate: this.caCertificate, ...Object.fromEntries(wrapped) } as KubeApi;
    return await this.faults.pass(
      async () => api,
      () => httpError(403, "forbidden"),
    );
  }

  /** Everything in the API that a resource may change. Join tokens are left out: they expire. */
  snapshot() {
    const nodes = [...this.memory.nodes].map(([name, { metadata = {}, spec = {} }]) => {
      const { labels, annotations } = metadata;
      return [name, { labels, annotations, taints: spec.taints ?? [], unschedulable: spec.unschedulable ?? false }];
    });
    return {
      nodes: Object.fromEntries(nodes) as Record<string, unknown>,
      objects: Object.fromEntries([...this.objects].sort(([one], [other]) => (one < other ? -1 : 1))),
      deployments: Object.fromEntries(this.deployments),
      configuration: this.configuration(),
    };
  }

  /** The configuration of kubeadm and kube-proxy, and whether kube-proxy's pods have read theirs. */
  private configuration() {
    const read = (name: string, key: string) => this.memory.configMaps.get(`kube-system/${name}`)?.data?.[key];
    const [kubeadm, proxy] = [read("kubeadm-config", "ClusterConfiguration"), read("kube-proxy", "config.conf")];
    const pods = JSON.stringify(this.memory.daemonSets.get("kube-system/kube-proxy") ?? {});
    const wanted = proxy === this.firstProxy ? [configHash({ text: proxy }), "{}"] : [configHash({ text: proxy })];
    return {
      kubeadm: kubeadm && (parse(kubeadm) as unknown),
      proxy: proxy && (parse(proxy) as unknown),
      isRead: proxy === undefined || wanted.some((part) => pods.includes(part)),
    };
  }

  /** Content of kube-proxy's configuration that its pods have read at their first start. */
  firstProxy: string | undefined;

  private wrap(methods: Methods): Methods {
    const request =
      (method: Methods[string]) =>
      async (...args: never[]) => {
        this.reconcile();
        // A request that arrives has its whole effect.
        const work = async (isHalf: boolean) => (isHalf ? undefined : await method(...args));
        return await this.faults.pass(work, () => httpError(403, "forbidden"));
      };
    return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, request(method)]));
  }

  private objectMethods() {
    const keyOf = ({ kind, metadata }: ApiObject) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    const get = (object: ApiObject) => {
      const live = this.objects.get(keyOf(object));
      if (!live) throw httpError(404, `${keyOf(object)} not found`);
      return structuredClone(live);
    };
    return {
      patch: async (object: ApiObject) => void this.objects.set(keyOf(object), structuredClone(object)),
      read: async (object: ApiObject) => get(object),
      delete: async (object: ApiObject) => void (get(object), this.objects.delete(keyOf(object))),
    };
  }

  private appsMethods() {
    const { apps } = this.memory.api;
    return {
      patchNamespacedDaemonSet: apps.patchNamespacedDaemonSet.bind(apps),
      patchNamespacedDeployment: async ({ namespace, name, body = {} }: Deployment) =>
        void this.deployments.set(`${namespace}/${name}`, structuredClone(body)),
      readNamespacedDeployment: async ({ namespace, name }: Deployment) => ({
        ...this.deployments.get(`${namespace}/${name}`),
        metadata: { generation: 1 },
        status: { observedGeneration: 1, conditions: [{ type: "Available", status: "True" }] },
      }),
    };
  }
}
