import { readFile } from "node:fs/promises";
import type {
  AppsV1Api,
  CertificatesV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PolicyV1Api,
  StorageV1Api,
  VersionApi,
  setHeaderOptions,
} from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../common/errors";
import { userCommand } from "../../common/user-command";

/** The Kubernetes API, with the administrator's rights. */
export interface KubeApi {
  core: CoreV1Api;
  apps: AppsV1Api;
  policy: PolicyV1Api;
  storage: StorageV1Api;
  certificates: CertificatesV1Api;
  version: VersionApi;
  objects: KubernetesObjectApi;
  config: KubeConfig;
  /** Request options that make a patch a merge patch (RFC 7396). */
  mergePatch: ReturnType<typeof setHeaderOptions>;
  /** The cluster's CA certificate, PEM. */
  caCertificate: string;
  /** Factor for deadlines, from the provider's settings. */
  patience: number;
}

/** Opens the API of a kubeconfig file, for commands that run on the user's computer. */
export async function kubeApiFromFile(path: string, patience = 1): Promise<KubeApi> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    config.loadFromString(await readFile(path, "utf8"));
  } catch (error) {
    throw new StepError({
      step: "reading the kubeconfig",
      cause: messageOf(error),
      action: `run \`${userCommand("up")}\` to create the cluster`,
    });
  }
  return await kubeApiFromConfig(config, patience);
}

/** Opens the API of a kubeconfig. */
export async function kubeApiFromConfig(config: KubeConfig, patience: number): Promise<KubeApi> {
  const client = await import("@kubernetes/client-node");
  return {
    core: config.makeApiClient(client.CoreV1Api),
    apps: config.makeApiClient(client.AppsV1Api),
    policy: config.makeApiClient(client.PolicyV1Api),
    storage: config.makeApiClient(client.StorageV1Api),
    certificates: config.makeApiClient(client.CertificatesV1Api),
    version: config.makeApiClient(client.VersionApi),
    objects: client.KubernetesObjectApi.makeApiClient(config),
    config,
    mergePatch: client.setHeaderOptions("Content-Type", client.PatchStrategy.MergePatch),
    caCertificate: Buffer.from(config.getCurrentCluster()?.caData ?? "", "base64").toString(),
    patience,
  };
}
