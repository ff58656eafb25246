import { StepError, messageOf } from "../../common/errors";
import { commandLine } from "../../common/quote";
import { until } from "../../common/wait";
import { STAGED_SUFFIX } from "../../contracts/files";
import { BOOTSTRAP_KUBECONFIG, KUBELET_CA, KUBELET_KUBECONFIG } from "../../render/standalone-kubelet";
import { waitUntilHealthy } from "../host/health";
import type { KubeApi } from "../kube/api";
import type { Identity } from "../pki/x509";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { signKubeletRequests } from "./signing";

const PROGRAM = "/usr/local/bin/kubelet";
const RESTART_SECONDS = 60;
const PODS_GONE_SECONDS = 120;
const HEALTH = { scheme: "HTTP", port: 10248, path: "/healthz", timeout: 60 } as const;
const LOG_COMMAND = "`journalctl -u kubelet`";
/** A link to the kubelet's current certificate. */
const CLIENT_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/** Restarts the kubelet. Its containers keep running. */
export async function restartKubelet(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run("systemctl restart kubelet", {
    step: "restarting the kubelet",
    signal,
    timeout: RESTART_SECONDS,
    action: `run ${LOG_COMMAND} on the machine`,
  });
}

interface Bootstrap {
  api: KubeApi;
  node: string;
  token: string;
  /** CA that signs the kubelet's certificate. Absent where the controller manager signs. */
  signer?: Identity | undefined;
  /** Seconds. */
  timeout: number;
}

/** Waits until the kubelet has a client certificate of its own, and signs it where there is no controller manager. */
export async function waitForBootstrap(
  { signal }: Context,
  machine: Remote,
  { api, node, token, signer, timeout }: Bootstrap,
): Promise<void> {
  await until(
    async () => {
      if (signer) await signKubeletRequests(api, signer, { node, token }, signal);
      return (await hasCertificate(machine, signal)) || undefined;
    },
    {
      signal,
      timeout,
      patience: machine.patience,
      onTimeout: (seconds) =>
        new StepError({
          step: "TLS bootstrap of the kubelet",
          machine: machine.label,
          cause: `the kubelet has no certificate after ${seconds} s`,
          action: `run ${LOG_COMMAND} on the machine and \`kubectl get csr\``,
        }),
    },
  );
}

/** The kubelet writes its kubeconfig before the certificate that it names, so both files must exist. */
async function hasCertificate(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const { code } = await machine.run(`[ -e ${KUBELET_KUBECONFIG} ] && [ -e ${CLIENT_CERTIFICATE} ]`, {
    step: "checking the kubelet's certificate",
    signal,
    accept: [0, 1],
  });
  return code === 0;
}

/**
 * Puts a kubelet into place that an upgrade has staged for the node: without a node, only the unit starts it.
 */
const PLACE_STAGED = `[ ! -e ${PROGRAM}${STAGED_SUFFIX} ] || mv -fT ${PROGRAM}${STAGED_SUFFIX} ${PROGRAM}`;

/** Detaches a kubelet from its cluster: it keeps running its static pods and stops all pods that came from the API. */
export async function detachKubelet(
  context: Context,
  machine: Remote,
  { node, files }: { node: string; files: readonly string[] },
): Promise<void> {
  const { signal } = context;
  const obsolete = [...files, KUBELET_KUBECONFIG, BOOTSTRAP_KUBECONFIG, KUBELET_CA];
  await machine.run(
    `rm -f ${commandLine(obsolete)} /var/lib/kubelet/pki/kubelet-client-*
${PLACE_STAGED}
if systemctl is-active -q kubelet; then systemctl restart kubelet; else exit 3; fi`,
    { step: "leaving the cluster", signal, timeout: RESTART_SECONDS, accept: [0, 3] },
  );
  try {
    await waitUntilHealthy(context, machine, "the kubelet", HEALTH, LOG_COMMAND);
    await waitUntilPodsGone(machine, node, signal);
  } catch (error) {
    signal.throwIfAborted();
    // The kubelet's unit is usually deleted next, and its cleanup stops the remaining containers.
    context.warn(messageOf(error));
  }
}

/** Prints the names of the pods that containerd or Docker run. */
const LIST_PODS = `ctr --connect-timeout 2s -n k8s.io tasks ls 2>/dev/null | awk '$3 == "RUNNING" {print $1}' |
while read -r id; do
  ctr -n k8s.io containers info "$id" 2>/dev/null |
    sed -n 's/.*"io.kubernetes.pod.name": "\\(.*\\)".*/\\1/p' | head -n 1
done
docker ps --format '{{.Label "io.kubernetes.pod.name"}}' 2>/dev/null | grep .
true`;

/** Waits until only static pods run, whose names end in the node's name. */
async function waitUntilPodsGone(machine: Remote, node: string, signal: AbortSignal): Promise<void> {
  let remaining: string[] = [];
  await until(
    async () => {
      const { stdout } = await machine.run(LIST_PODS, { step: "listing pods", signal });
      remaining = [...new Set(stdout.split("\n").filter((name) => name !== "" && !name.endsWith(`-${node}`)))];
      return remaining.length === 0 ? true : undefined;
    },
    {
      signal,
      timeout: PODS_GONE_SECONDS,
      patience: machine.patience,
      every: 500,
      onTimeout: () =>
        new StepError({
          step: "leaving the cluster",
          machine: machine.label,
          cause: `pods of the cluster are still running: ${remaining.join(", ")}`,
          action: `run ${LOG_COMMAND} on the machine`,
        }),
    },
  );
}
