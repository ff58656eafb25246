import { readFile } from "node:fs/promises";
import type {
  AppsV1Api,
  CertificatesV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PolicyV1Api,
  StorageV1Api,
  setHeaderOptions,
} from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import type { Connections } from "../ssh/connections";
import type { Remote } from "../ssh/remote";
import { tunnel } from "../ssh/tunnel";

export const ADMIN_CONF = "/etc/kubernetes/admin.conf";
export const API_PORT = 6443;

/** The Kubernetes API as the cluster's administrator. */
export interface KubeApi {
  core: CoreV1Api;
  apps: AppsV1Api;
  policy: PolicyV1Api;
  storage: StorageV1Api;
  certificates: CertificatesV1Api;
  objects: KubernetesObjectApi;
  config: KubeConfig;
  /** Pass with a patch: RFC 7396. */
  mergePatch: ReturnType<typeof setHeaderOptions>;
  /** The CA's certificate, PEM. */
  caCertificate: string;
  /** Factor for deadlines, from the provider's settings. */
  patience: number;
}

/** Clients of the Kubernetes API, one per control plane that was asked. */
export class KubeClients {
  private readonly clients = new Map<string, Promise<KubeApi>>();

  constructor(
    private readonly connections: Connections,
    private readonly settings: { readonly patience: number },
  ) {}

  /**
   * Returns the API through the first control plane that answers. The administrator's kubeconfig is read from the machine when needed and
   * is kept in memory only: not in a resource's inputs, not in a file.
   * @throws StepError when no control plane can be reached.
   */
  async api(controlPlanes: readonly Connection[], signal: AbortSignal): Promise<KubeApi> {
    return await this.firstThatAnswers(controlPlanes, signal, (machine) => this.through(machine, signal));
  }

  /** Returns the administrator's kubeconfig, a secret, from the first control plane that answers. */
  async adminKubeconfig(controlPlanes: readonly Connection[], signal: AbortSignal): Promise<string> {
    return await this.firstThatAnswers(controlPlanes, signal, (machine) => adminConf(machine, signal));
  }

  /** Drops all clients: after `kubeadm init` or reset their certificates are void. */
  forget(): void {
    this.clients.clear();
  }

  private async firstThatAnswers<T>(
    controlPlanes: readonly Connection[],
    signal: AbortSignal,
    ask: (machine: Remote) => Promise<T>,
  ): Promise<T> {
    const failures: string[] = [];
    for (const connection of controlPlanes) {
      try {
        return await ask(this.connections.get(connection));
      } catch (error) {
        signal.throwIfAborted();
        failures.push(messageOf(error));
      }
    }
    throw new StepError({
      step: "reaching the Kubernetes API",
      cause: failures.join("; ") || "there is no control plane",
      action: "is a control plane up, and its API server running?",
    });
  }

  /** The machine-id is part of the key: a rebuilt control plane has other certificates. */
  private async through(machine: Remote, signal: AbortSignal): Promise<KubeApi> {
    const key = `${machine.label}/${await machine.machineId(signal)}`;
    const client = this.clients.get(key) ?? open(machine, this.settings.patience, signal);
    this.clients.set(key, client);
    return client.catch((error: unknown) => {
      this.clients.delete(key);
      throw error;
    });
  }
}

async function adminConf(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.look(`cat ${ADMIN_CONF}`, {
    step: "reading the administrator's kubeconfig",
    signal,
    action: "has `kubeadm init` run on it?",
  });
  return stdout;
}

async function open(machine: Remote, patience: number, signal: AbortSignal): Promise<KubeApi> {
  const [client, text, { port }] = await Promise.all([
    import("@kubernetes/client-node"),
    adminConf(machine, signal),
    tunnel(machine, API_PORT),
  ]);
  const config = new client.KubeConfig();
  config.loadFromString(text);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new StepError({
      step: "reading the administrator's kubeconfig",
      machine: machine.label,
      cause: "it names no cluster",
    });
  // `kubernetes` is in the API server's certificate, whatever address leads there.
  config.clusters = [{ ...cluster, server: `https://127.0.0.1:${port}`, tlsServerName: "kubernetes" }];
  return await apiFrom(config, patience);
}

/** The API as a kubeconfig file has it: for scripts, which stand where the person stands. */
export async function kubeApiFromFile(path: string, patience = 1): Promise<KubeApi> {
  const client = await import("@kubernetes/client-node");
  const config = new client.KubeConfig();
  try {
    config.loadFromString(await readFile(path, "utf8"));
  } catch (error) {
    throw new StepError({
      step: "reading the kubeconfig",
      cause: messageOf(error),
      action: "is there a cluster? `npm start` makes one",
    });
  }
  return await apiFrom(config, patience);
}

async function apiFrom(config: KubeConfig, patience: number): Promise<KubeApi> {
  const client = await import("@kubernetes/client-node");
  return {
    core: config.makeApiClient(client.CoreV1Api),
    apps: config.makeApiClient(client.AppsV1Api),
    policy: config.makeApiClient(client.PolicyV1Api),
    storage: config.makeApiClient(client.StorageV1Api),
    certificates: config.makeApiClient(client.CertificatesV1Api),
    objects: client.KubernetesObjectApi.makeApiClient(config),
    config,
    mergePatch: client.setHeaderOptions("Content-Type", client.PatchStrategy.MergePatch),
    caCertificate: Buffer.from(config.getCurrentCluster()?.caData ?? "", "base64").toString(),
    patience,
  };
}
