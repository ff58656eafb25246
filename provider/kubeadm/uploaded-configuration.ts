import { parse } from "yaml";
import { sortKeys } from "../../common/json";
import type { ClusterConfiguration, KubeadmDocument, KubeProxyConfiguration } from "../../render/kubeadm-types";
import { configHash, yamlText } from "../../render/json";
import type { KubeApi } from "../kube/api";
import { retryRequest } from "../kube/retry";
import { isElectionOff, keepLeaderElection } from "./leader-election";

const NAMESPACE = "kube-system";
const CONFIG_ANNOTATION = "kubewright.dev/config";
/** On the ConfigMap of kube-proxy from its change until its pods are replaced, which an interrupted run leaves. */
const PENDING_ANNOTATION = "kubewright.dev/restart-pending";

type Fields = Record<string, unknown>;

/** A configuration file in a ConfigMap. */
interface Place {
  configMap: string;
  key: string;
}
const KUBEADM: Place = { configMap: "kubeadm-config", key: "ClusterConfiguration" };
const KUBE_PROXY: Place = { configMap: "kube-proxy", key: "config.conf" };

/** A configuration in the cluster that differs from the documents. */
export interface OutdatedConfiguration extends Place {
  /** The sections that differ: `apiServer`. Empty where only the restart of kube-proxy is missing. */
  sections: string[];
  /** The new content, YAML. */
  text: string;
}

/** Compares kubeadm's and kube-proxy's configuration in the cluster with the documents. */
export async function findOutdated(
  api: KubeApi,
  documents: readonly KubeadmDocument[],
  signal: AbortSignal,
): Promise<OutdatedConfiguration[]> {
  const [kubeadm, proxy] = await Promise.all([
    readUploaded(api, KUBEADM, signal),
    readUploaded(api, KUBE_PROXY, signal),
  ]);
  return [
    ...(kubeadm ? compare(KUBEADM, kubeadm, clusterFields(documents, kubeadm.fields)) : []),
    ...(proxy ? compare(KUBE_PROXY, proxy, proxyFields(documents, proxy.fields)) : []),
  ];
}

/** Writes a configuration. kube-proxy reads its own at the start only, so its pods are replaced, a few at a time. */
export async function upload(api: KubeApi, outdated: OutdatedConfiguration, signal: AbortSignal): Promise<void> {
  const { configMap: name, key, text } = outdated;
  const patch = (body: object) =>
    retryRequest(api, `writing the ConfigMap ${name}`, signal, () =>
      api.core.patchNamespacedConfigMap({ namespace: NAMESPACE, name, body }, api.mergePatch),
    );
  if (name !== KUBE_PROXY.configMap) return void (await patch({ data: { [key]: text } }));
  await patch({ metadata: { annotations: { [PENDING_ANNOTATION]: "true" } }, data: { [key]: text } });
  const annotations = { [CONFIG_ANNOTATION]: configHash({ text }) };
  await retryRequest(api, "restarting kube-proxy", signal, () =>
    api.apps.patchNamespacedDaemonSet(
      { namespace: NAMESPACE, name: "kube-proxy", body: { spec: { template: { metadata: { annotations } } } } },
      api.mergePatch,
    ),
  );
  await patch({ metadata: { annotations: { [PENDING_ANNOTATION]: null } } });
}

interface Uploaded {
  fields: Fields;
  isPending: boolean;
}

async function readUploaded(
  api: KubeApi,
  { configMap, key }: Place,
  signal: AbortSignal,
): Promise<Uploaded | undefined> {
  const { data, metadata } = await retryRequest(api, `reading the ConfigMap ${configMap}`, signal, () =>
    api.core.readNamespacedConfigMap({ namespace: NAMESPACE, name: configMap }),
  );
  const text = data?.[key];
  if (text === undefined) return undefined;
  return { fields: parse(text) as Fields, isPending: metadata?.annotations?.[PENDING_ANNOTATION] !== undefined };
}

/** The fields that Kubewright sets. kubeadm has filled in the others. */
function clusterFields(documents: readonly KubeadmDocument[], current: Fields): Fields {
  const live = current as Partial<ClusterConfiguration>;
  const [configuration] = keepLeaderElection(
    documents.filter(({ kind }) => kind === "ClusterConfiguration"),
    (component) => isElectionOff(live[component]),
  );
  if (!configuration) return {};
  return { ...(live.encryptionAlgorithm === undefined ? {} : KUBEADM_KEYS), ...configuration };
}

/** kubeadm's own algorithm of keys, which the documents leave out. Control planes that join read it. */
const KUBEADM_KEYS: Pick<ClusterConfiguration, "encryptionAlgorithm"> = { encryptionAlgorithm: "RSA-2048" };

/** In `conntrack`, null is kube-proxy's own default. */
const CONNTRACK = { maxPerCore: null, min: null, tcpEstablishedTimeout: null, tcpCloseWaitTimeout: null };

function proxyFields(documents: readonly KubeadmDocument[], current: Fields): Fields {
  const configuration = documents.find(({ kind }) => kind === "KubeProxyConfiguration") as
    KubeProxyConfiguration | undefined;
  if (!configuration) return {};
  const conntrack = { ...(current.conntrack as object), ...CONNTRACK, ...configuration.conntrack };
  return { ...configuration, conntrack };
}

function compare(place: Place, { fields, isPending }: Uploaded, wanted: Fields): OutdatedConfiguration[] {
  const sections = Object.keys(wanted).filter((name) => canonical(wanted[name]) !== canonical(fields[name]));
  return sections.length > 0 || isPending ? [{ ...place, sections, text: yamlText({ ...fields, ...wanted }) }] : [];
}

/** JSON with sorted keys, in which an absent section and an empty one are the same. */
function canonical(value: unknown): string {
  return JSON.stringify(sortKeys(value ?? {}));
}
