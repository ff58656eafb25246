import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { podName, summarizeNames } from "../../provider/kube/pods";
import { retryRequest } from "../../provider/kube/retry";
import {
  isSystemPod,
  podsWithOldToken,
  readOutdatedPods,
  readPods,
  TOKEN_MS,
  workloadsOf,
} from "../../provider/rotation/outdated-pods";
import { pemBlocks } from "../../provider/pki/pem";
import { AUTHORITIES, AUTHORITY, type AuthorityName, type Phase } from "../../provider/rotation/phases";
import type { RotationRecord } from "../../provider/rotation/rotation-record";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import type { RotationPlan } from "./rotation-plan";
import type { CertificateKeys } from "../../render/kubeadm-types";
import { readClock } from "./rotate";

/** Returns the authorities of `--only`. @throws StepError for an unknown name */
export function parseAuthorities(only: string | undefined): AuthorityName[] {
  if (only === undefined) return [...AUTHORITIES];
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !(AUTHORITIES as readonly string[]).includes(name));
  if (unknown.length === 0) return AUTHORITIES.filter((name) => names.includes(name));
  throw new StepError({
    step: "reading --only",
    cause: `there is no CA named ${unknown.join(", ")}`,
    action: `use one or more of ${AUTHORITIES.join(",")}`,
  });
}

export interface PlannedRotation {
  phase: Phase;
  authorities: readonly AuthorityName[];
  before: RotationRecord | undefined;
  controlPlanes: readonly Remote[];
  machines: readonly Remote[];
  /** Algorithm of new keys; that of each key that is replaced where it is undefined. */
  keys?: CertificateKeys | undefined;
}

/** Reads what a phase affects besides the machines. */
export async function planRotation(
  api: KubeApi,
  { phase, authorities, before, controlPlanes, machines, keys }: PlannedRotation,
  signal: AbortSignal,
): Promise<RotationPlan> {
  const nameOf = ({ connection }: Remote) => machineName(connection);
  const isCluster = authorities.includes("cluster");
  const pods = isCluster && phase === "reissue" ? await readOutdatedPods(api, signal) : [];
  return {
    ...{ phase, authorities, keys, isResumed: before !== undefined && !before.isDone },
    ...{ controlPlanes: controlPlanes.map(nameOf), nodes: machines.map(nameOf) },
    workloads: workloadsOf(pods.filter((pod) => !isSystemPod(pod))),
    caBundles: isCluster ? await findBundles(api, controlPlanes, phase, signal) : [],
    tokens: authorities.includes("service-account") ? await findTokens(api, signal) : [],
  };
}

/** Kinds with a `caBundle`, which their owners set. */
const BUNDLE_KINDS = [
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
  { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService" },
];

async function findBundles(
  api: KubeApi,
  controlPlanes: readonly Remote[],
  phase: Phase,
  signal: AbortSignal,
): Promise<string[]> {
  const step = "reading the cluster's CA";
  const ca = (await controlPlanes[0]?.read(`cat ${AUTHORITY.cluster.certificate}`, { step, signal }))?.stdout ?? "";
  const lists = BUNDLE_KINDS.map(async ({ apiVersion, kind }) => {
    const { items } = await retryRequest(api, `listing ${kind}s`, signal, () => api.objects.list(apiVersion, kind));
    return items.filter((item) => trustsPrevious(item, ca, phase)).map(({ metadata }) => `${kind}/${metadata?.name}`);
  });
  return (await Promise.all(lists)).flat();
}

/** Whether an object trusts the cluster's CA and, once there are two, only one of them. */
export function trustsPrevious(item: object, ca: string, phase: Phase): boolean {
  const authorities = pemBlocks(ca);
  const encoded = [...JSON.stringify(item).matchAll(/"caBundle":"([^"]+)"/g)].map(([, data = ""]) => data);
  return encoded.some((data) => {
    const bundle = pemBlocks(Buffer.from(data, "base64").toString());
    const trusted = authorities.filter((authority) => bundle.includes(authority));
    return trusted.length > 0 && (phase === "trust" || trusted.length < authorities.length);
  });
}

/** Lists the Secrets with tokens that do not expire. */
async function findTokens(api: KubeApi, signal: AbortSignal): Promise<string[]> {
  const fieldSelector = "type=kubernetes.io/service-account-token";
  const { items } = await retryRequest(api, "listing tokens", signal, () =>
    api.core.listSecretForAllNamespaces({ fieldSelector }),
  );
  return items.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
}

/**
 * Refuses to drop the previous key of the service accounts while pods have tokens that it has signed.
 * @throws StepError with the time from which on there are none
 */
export async function requireNewTokens(
  api: KubeApi,
  controlPlanes: readonly Remote[],
  { signedSince }: RotationRecord,
  signal: AbortSignal,
): Promise<void> {
  if (signedSince === undefined) return;
  const since = Date.parse(signedSince);
  if ((await readClock(controlPlanes, signal)) - since > TOKEN_MS) return;
  const pods = podsWithOldToken(await readPods(api, signal), since);
  if (pods.length === 0) return;
  throw new StepError({
    step: "dropping the previous key of the service accounts",
    cause: `${pods.length} pods may have tokens that it has signed: ${summarizeNames(pods.map(podName))}`,
    action: `run the command again after ${new Date(since + TOKEN_MS).toISOString()}, or restart these pods first`,
  });
}
