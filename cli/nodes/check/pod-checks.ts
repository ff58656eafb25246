import { isIPv6 } from "node:net";
import { timeoutSignal } from "../../../common/timer";
import type { KubeApi } from "../../../provider/kube/api";
import { until } from "../../../common/wait";
import { messageOf } from "../../../common/errors";
import { PORTS } from "./check-objects";
import type { PodAccess } from "./pod-access";

export interface CheckResult {
  /** What was checked: `DNS`. */
  name: string;
  ok: boolean;
  /** Where it works, or why it does not. */
  detail: string;
}

export interface CheckedPod {
  namespace: string;
  pod: string;
  node: string;
  /** The node to which the pod's Service leads. */
  target: string;
}

/** What the checks need to know of a cluster. */
export interface Environment {
  /** Image of CoreDNS. */
  image: string;
  /** The cluster's DNS domain. */
  domain: string;
  /** Address of the cluster's DNS. */
  clusterDns: string;
  /** Address of the Service `kubernetes`. */
  apiAddress: string;
}

interface Settings extends Environment {
  /** The text in the ConfigMap. */
  token: string;
  access: PodAccess;
  signal: AbortSignal;
}

interface PodCheck {
  name: string;
  /** Returns a problem, or rejects; undefined if the check succeeds. */
  run: (api: KubeApi, settings: Settings, pod: CheckedPod) => Promise<string | undefined>;
}

/** Seconds until a check must succeed. kube-proxy needs a moment for a new Service. */
const SECONDS = 20;
/** Seconds of one attempt. */
const ATTEMPT_SECONDS = 5;
const EVERY_MS = 500;
const NAME = "kubewright.check";

/** The checks of one pod. Each one needs the API server and the kubelet of the pod's node. */
export const CHECKS: readonly PodCheck[] = [
  { name: "ConfigMap", run: (_api, settings, pod) => checkText(settings, pod, PORTS.own, pod.node) },
  { name: "Service across nodes", run: (_api, settings, pod) => checkText(settings, pod, PORTS.service, pod.target) },
  { name: "DNS", run: checkDns },
  { name: "exec", run: checkExec },
  { name: "logs", run: checkLogs },
  { name: "port-forward", run: checkPortForward },
];

/** The answer names the node of the pod that gives it, and the token of the ConfigMap. */
async function checkText(settings: Settings, pod: CheckedPod, port: number, node: string): Promise<string | undefined> {
  const expected = `${node} ${settings.token}`;
  return await attempt(settings, async (signal) => {
    const { code, values } = await settings.access.query(pod, port, { name: NAME, type: "TXT" }, signal);
    if (values.includes(expected)) return undefined;
    return code === 0 ? `the answer is ${values.join(", ") || "empty"}` : `no answer from ${node} (DNS code ${code})`;
  });
}

async function checkDns(_api: KubeApi, settings: Settings, pod: CheckedPod): Promise<string | undefined> {
  const { domain, apiAddress, access } = settings;
  const name = `kubernetes.default.svc.${domain}`;
  const type = isIPv6(apiAddress) ? "AAAA" : "A";
  return await attempt(settings, async (signal) => {
    const { code, values } = await access.query(pod, PORTS.clusterDns, { name, type }, signal);
    if (code !== 0) return `${name} is not resolved (DNS code ${code})`;
    // An IPv6 address has several spellings.
    return type === "AAAA" || values.includes(apiAddress) ? undefined : `${name} is ${values.join(", ")}`;
  });
}

async function checkExec(_api: KubeApi, settings: Settings, pod: CheckedPod): Promise<string | undefined> {
  return await attempt(settings, async (signal) => {
    const output = await settings.access.exec(pod, ["/coredns", "-version"], signal);
    return /CoreDNS-\d/.test(output) ? undefined : `the output is ${output.trim() || "empty"}`;
  });
}

async function checkLogs(api: KubeApi, settings: Settings, pod: CheckedPod): Promise<string | undefined> {
  return await attempt(settings, async () => {
    const log = await api.core.readNamespacedPodLog({ namespace: pod.namespace, name: pod.pod });
    return log.includes(`:${PORTS.own}`) ? undefined : "the log of the pod is empty";
  });
}

/** Any answer proves it. */
async function checkPortForward(_api: KubeApi, settings: Settings, pod: CheckedPod): Promise<string | undefined> {
  return await attempt(settings, async (signal) => {
    await settings.access.query(pod, PORTS.own, { name: NAME, type: "TXT" }, signal);
    return undefined;
  });
}

/** Repeats a check until it finds no problem. Returns the last problem at the deadline. */
async function attempt(
  { signal }: Settings,
  check: (signal: AbortSignal) => Promise<string | undefined>,
): Promise<string | undefined> {
  let problem: string | undefined;
  const isOk = async () => {
    const limited = timeoutSignal(ATTEMPT_SECONDS * 1_000, signal);
    problem = await check(limited).catch((error: unknown) =>
      limited.aborted ? `no answer within ${ATTEMPT_SECONDS} s` : messageOf(error),
    );
    return problem === undefined ? true : undefined;
  };
  const onTimeout = () => new Error(problem);
  await until(isOk, { signal, timeout: SECONDS, every: EVERY_MS, onTimeout }).catch(() => signal.throwIfAborted());
  return problem;
}
