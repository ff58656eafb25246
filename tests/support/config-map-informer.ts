import type { Informer, ObjectCache, V1ConfigMap } from "@kubernetes/client-node" with { "resolution-mode": "import" };

const NAMESPACE = "default";
const RETRY_MS = 500;

/**
 * An informer for the ConfigMaps of the namespace `default`, as controllers use them: it lists once, then watches from
 * the revision that it knows. After an error it continues from there.
 */
export class ConfigMapInformer {
  private stopped = false;

  private constructor(private readonly informer: Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>) {}

  static async start(kubeconfig: string): Promise<ConfigMapInformer> {
    const { CoreV1Api, KubeConfig, makeInformer } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const api = config.makeApiClient(CoreV1Api);
    const list = () => api.listNamespacedConfigMap({ namespace: NAMESPACE });
    const started = new ConfigMapInformer(makeInformer(config, `/api/v1/namespaces/${NAMESPACE}/configmaps`, list));
    started.informer.on("error", () => started.restart());
    await started.informer.start();
    return started;
  }

  /** Names of the ConfigMaps that the informer believes to exist, sorted. */
  names(): string[] {
    return this.informer
      .list()
      .map(({ metadata }) => metadata?.name ?? "")
      .sort();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.informer.stop();
  }

  private restart(): void {
    setTimeout(() => {
      if (!this.stopped) this.informer.start().catch(() => this.restart());
    }, RETRY_MS);
  }
}
