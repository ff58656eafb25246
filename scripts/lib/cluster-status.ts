import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { V1Node, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError, messageOf } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { isCordoned, isReady } from "../../provider/kube/cordon";
import { isFinished } from "../../provider/kube/pods";
import { patiently } from "../../provider/kube/retry";

const POOL_LABEL = "kubewright.io/pool";
const CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane";
const ANSWER_MS = 5_000;
const DAY_MS = 86_400_000;
/** kubeadm's certificates are good for a year; a month is time enough to renew them. */
const SOON_DAYS = 30;

export interface NodeStatus {
  name: string;
  pool: string;
  version: string;
  ready: boolean;
  cordoned: boolean;
  /** Conditions that are as they should not be: `MemoryPressure`. */
  conditions: string[];
  pods: number;
  capacity: number;
}

export interface CertificateStatus {
  name: string;
  ends: string;
  days: number;
}

export interface ClusterStatus {
  healthy: boolean;
  /** Why not, one sentence each. */
  problems: string[];
  nodes: NodeStatus[];
  certificates: CertificateStatus[];
}

/** The cluster at a glance, from its API alone. */
export async function clusterStatus(api: KubeApi, signal: AbortSignal): Promise<ClusterStatus> {
  const [live, pods, certificates] = await Promise.all([
    patiently("listing nodes", signal, () => api.core.listNode()),
    patiently("listing pods", signal, () => api.core.listPodForAllNamespaces()),
    certificatesOf(api),
  ]);
  const nodes = live.items.map((node) => nodeStatus(node, pods.items)).sort((one, other) => one.pool.localeCompare(other.pool) || one.name.localeCompare(other.name, "en", { numeric: true }));
  const problems = [...nodes.flatMap(problemsOf), ...certificates.filter(({ days }) => days < SOON_DAYS).map(({ name, days }) => `${name} ends in ${days} days`)];
  return { healthy: problems.length === 0, problems, nodes, certificates };
}

function nodeStatus(node: V1Node, pods: readonly V1Pod[]): NodeStatus {
  const { name = "", labels = {} } = node.metadata ?? {};
  return {
    name,
    pool: labels[POOL_LABEL] ?? (labels[CONTROL_PLANE_LABEL] === undefined ? "" : "control-plane"),
    version: node.status?.nodeInfo?.kubeletVersion ?? "",
    ready: isReady(node),
    cordoned: isCordoned(node),
    conditions: (node.status?.conditions ?? []).filter(({ type, status }) => type !== "Ready" && status !== "False").map(({ type }) => type),
    pods: pods.filter((pod) => pod.spec?.nodeName === name && !isFinished(pod)).length,
    capacity: Number(node.status?.allocatable?.pods ?? 0),
  };
}

function problemsOf({ name, ready, cordoned, conditions }: NodeStatus): string[] {
  return [...(ready ? [] : [`${name} is not Ready`]), ...(cordoned ? [`${name} is cordoned`] : []), ...conditions.map((condition) => `${name} has ${condition}`)];
}

async function certificatesOf({ config, caCertificate }: KubeApi): Promise<CertificateStatus[]> {
  const own = config.getCurrentUser()?.certData;
  const { server = "" } = config.getCurrentCluster() ?? {};
  return [
    endOf("API server", await servedBy(new URL(server))),
    ...(own === undefined ? [] : [endOf("administrator", new X509Certificate(Buffer.from(own, "base64")))]),
    endOf("CA", new X509Certificate(caCertificate)),
  ];
}

function endOf(name: string, { validTo }: X509Certificate): CertificateStatus {
  const ends = new Date(validTo);
  return { name, ends: ends.toISOString(), days: Math.floor((ends.getTime() - Date.now()) / DAY_MS) };
}

/** Looked at, not trusted: so also one that has ended is seen. Nothing is sent. */
function servedBy({ hostname, port }: URL): Promise<X509Certificate> {
  const failure = (cause: string) => new StepError({ step: "looking at the API server's certificate", cause, action: "is the control plane up?" });
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port || 443), rejectUnauthorized: false, timeout: ANSWER_MS }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) done(certificate);
      else fail(failure("it showed none"));
    });
    socket.on("timeout", () => socket.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    socket.on("error", (error) => fail(failure(messageOf(error))));
  });
}
