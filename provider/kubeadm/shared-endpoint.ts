import type { V1DaemonSet } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { serverOf, withServer } from "../../render/kubeconfig-server";
import { readContents, textFile, writeFiles } from "../host/files";
import type { KubeApi } from "../kube/api";
import { ADMIN_CONF } from "../kube/clients";
import { ignoreNotFound, readWithCause } from "../kube/errors";
import { replaceDaemonPods } from "../kube/daemon-set-pods";
import { retryRequest } from "../kube/retry";
import type { Remote } from "../ssh/remote";

/** A kubeconfig in a ConfigMap. */
interface Place {
  namespace: string;
  name: string;
  key: string;
}

/** kubeadm creates both. Joining nodes read the first one. */
const CLUSTER_INFO: Place = { namespace: "kube-public", name: "cluster-info", key: "kubeconfig" };
const KUBE_PROXY: Place = { namespace: "kube-system", name: "kube-proxy", key: "kubeconfig.conf" };

/** DaemonSets whose pods read the address only when they start. */
const READERS = [
  { namespace: "kube-system", name: "kube-proxy" },
  { namespace: "kube-flannel", name: "kube-flannel-ds" },
] as const;
const ANNOTATION = "kubewright.dev/api-endpoint";

/** The administrator's kubeconfigs on a control plane. */
const ADMIN_FILES = [ADMIN_CONF, "/etc/kubernetes/super-admin.conf"];

interface Options {
  /** `host:port` */
  endpoint: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/** Returns the addresses that the cluster's ConfigMaps name. */
export async function readSharedEndpoints(api: KubeApi, signal: AbortSignal): Promise<string[]> {
  const texts = await Promise.all([CLUSTER_INFO, KUBE_PROXY].map((place) => readKubeconfig(api, place, signal)));
  return texts.flatMap((text) => serverOf(text ?? "") ?? []);
}

/**
 * Changes the address in the cluster, and restarts the pods that use it. cluster-info comes last: it tells a run that
 * continues after an interruption that everything else is done.
 */
export async function changeSharedEndpoint(api: KubeApi, options: Options): Promise<void> {
  const { endpoint, signal, status } = options;
  const isDone = (text: string | undefined) => text === undefined || serverOf(text) === endpoint;
  const [info, proxy] = [
    await readKubeconfig(api, CLUSTER_INFO, signal),
    await readKubeconfig(api, KUBE_PROXY, signal),
  ];
  if (isDone(info) && isDone(proxy)) return;
  status(`writing ${endpoint} into kube-proxy's configuration`);
  if (!isDone(proxy)) await writeKubeconfig(api, KUBE_PROXY, withServer(proxy ?? "", endpoint), signal);
  for (const reader of READERS) await restart(api, reader, options);
  if (!isDone(info)) await writeKubeconfig(api, CLUSTER_INFO, withServer(info ?? "", endpoint), signal);
}

/** Changes the address in the administrator's kubeconfigs on a control plane. No process keeps them open. */
export async function changeAdminEndpoint(machine: Remote, endpoint: string, signal: AbortSignal): Promise<void> {
  const contents = [...(await readContents(machine, ADMIN_FILES, signal))];
  const outdated = contents.filter(([, content]) => serverOf(content) !== endpoint);
  const files = outdated.map(([path, content]) => textFile(path, withServer(content, endpoint), "0600"));
  if (files.length > 0) await writeFiles(machine, files, "writing the administrator's kubeconfigs", signal);
}

async function readKubeconfig(
  api: KubeApi,
  { namespace, name, key }: Place,
  signal: AbortSignal,
): Promise<string | undefined> {
  const configMap = await retryRequest(api, `reading the ConfigMap ${name}`, signal, () =>
    ignoreNotFound(api.core.readNamespacedConfigMap({ namespace, name })),
  );
  return configMap?.data?.[key];
}

async function writeKubeconfig(
  api: KubeApi,
  { namespace, name, key }: Place,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  await retryRequest(api, `writing the ConfigMap ${name}`, signal, () =>
    api.core.patchNamespacedConfigMap({ namespace, name, body: { data: { [key]: text } } }, api.mergePatch),
  );
}

/** Replaces the pods of a DaemonSet, once for each address. A cluster with another pod network has no flannel. */
async function restart(api: KubeApi, reader: (typeof READERS)[number], options: Options): Promise<void> {
  const { endpoint, timeout, signal, status } = options;
  const body = { spec: { template: { metadata: { annotations: { [ANNOTATION]: endpoint } } } } };
  status(`restarting ${reader.name}`);
  const exists = await retryRequest(api, `restarting ${reader.name}`, signal, () =>
    ignoreNotFound(api.apps.patchNamespacedDaemonSet({ ...reader, body }, api.mergePatch)),
  );
  if (!exists) return;
  if (exists.spec?.updateStrategy?.type === "OnDelete")
    return await replaceDaemonPods(api, {
      ...reader,
      annotation: ANNOTATION,
      value: endpoint,
      timeout,
      signal,
      status,
    });
  let last = "";
  await until(
    async () => {
      const { cause } = await readWithCause(api.apps.readNamespacedDaemonSet(reader), describeRollout);
      if (cause !== "" && cause !== last) status(`restarting ${reader.name}: ${cause}`);
      last = cause;
      return cause === "" ? true : undefined;
    },
    {
      signal,
      timeout,
      patience: api.patience,
      every: 500,
      onTimeout: (seconds) =>
        new StepError({
          step: `restarting ${reader.name}`,
          cause: `${last} after ${seconds} s`,
          action: `see \`kubectl -n ${reader.namespace} describe daemonset ${reader.name}\`, then run again`,
        }),
    },
  );
}

/** @returns why the rollout is not complete, or an empty text when it is */
function describeRollout(daemonSet: V1DaemonSet | undefined): string {
  const { metadata, status } = daemonSet ?? {};
  if (!status || status.observedGeneration !== metadata?.generation) return "the rollout has not begun";
  const { desiredNumberScheduled: desired, updatedNumberScheduled: updated = 0, numberUnavailable = 0 } = status;
  if (updated < desired) return `${updated} of ${desired} pods are new`;
  return numberUnavailable > 0 ? `${numberUnavailable} of ${desired} pods are not Ready` : "";
}
