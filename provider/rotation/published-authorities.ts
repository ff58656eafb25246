import type { V1ConfigMap } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { retryRequest } from "../kube/retry";
import { withAuthorityData } from "./authority-data";
import { pemBlocks } from "../pki/pem";

/** ConfigMap with the cluster's CA that every pod mounts, in each namespace. */
export const ROOT_CA = "kube-root-ca.crt";
const SECONDS = 120;

/** Writes the bundle into `cluster-info`, from which machines join. The controller manager signs it again. */
export async function publishClusterInfo(api: KubeApi, bundle: string, signal: AbortSignal): Promise<void> {
  const target = { name: "cluster-info", namespace: "kube-public" };
  const { data = {} } = await retryRequest(api, "reading cluster-info", signal, () =>
    api.core.readNamespacedConfigMap(target),
  );
  const kubeconfig = withAuthorityData(data.kubeconfig ?? "", bundle);
  if (kubeconfig === data.kubeconfig) return;
  await retryRequest(api, "writing cluster-info", signal, () =>
    api.core.patchNamespacedConfigMap({ ...target, body: { data: { kubeconfig } } }, api.mergePatch),
  );
}

/** Returns the namespaces whose ConfigMap does not have exactly these CAs. */
export function namespacesWithout(bundle: string, configMaps: readonly V1ConfigMap[]): string[] {
  const wanted = pemBlocks(bundle).join("");
  return configMaps
    .filter(({ data }) => pemBlocks(data?.["ca.crt"] ?? "").join("") !== wanted)
    .map(({ metadata }) => metadata?.namespace ?? "");
}

export async function readRootAuthorities(api: KubeApi, signal: AbortSignal): Promise<V1ConfigMap[]> {
  const fieldSelector = `metadata.name=${ROOT_CA}`;
  const { items } = await retryRequest(api, `reading ${ROOT_CA}`, signal, () =>
    api.core.listConfigMapForAllNamespaces({ fieldSelector }),
  );
  return items;
}

/** Waits until the controller manager has published the bundle in all namespaces. */
export async function waitUntilPublished(
  api: KubeApi,
  bundle: string,
  { signal, status }: { signal: AbortSignal; status: Progress },
): Promise<void> {
  status(`waiting until ${ROOT_CA} has the CAs in all namespaces`);
  let missing: string[] = [];
  await until(
    async () => {
      missing = namespacesWithout(bundle, await readRootAuthorities(api, signal));
      return missing.length === 0 || undefined;
    },
    {
      ...{ signal, timeout: SECONDS, patience: api.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step: "publishing the CAs",
          cause: `${ROOT_CA} is not current after ${seconds} s in ${missing.join(", ")}`,
          action: "see the log of kube-controller-manager on the control planes, then run the command again",
        }),
    },
  );
}
