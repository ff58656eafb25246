import { StepError, messageOf } from "../../common/errors";
import { commandLine } from "../../common/quote";
import { until } from "../../common/wait";
import { BOOTSTRAP_KUBECONFIG, KUBELET_CA, KUBELET_KUBECONFIG } from "../../render/components/kubelet";
import { untilHealthy } from "../host/health";
import type { KubeApi } from "../kube/api";
import type { Identity } from "../pki/x509";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { signKubeletRequests } from "./signing";

const RESTART_SECONDS = 60;
const HEALTH = { scheme: "HTTP", port: 10248, path: "/healthz", timeout: 60 } as const;
const LOOK = "`journalctl -u kubelet`";

/** Its containers do not notice. */
export async function restartKubelet(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run("systemctl restart kubelet", {
    step: "starting the kubelet anew",
    signal,
    timeout: RESTART_SECONDS,
    action: `see ${LOOK} on the machine`,
  });
}

interface Bootstrap {
  api: KubeApi;
  node: string;
  token: string;
  /** Absent: the controller manager signs. */
  signer?: Identity | undefined;
  /** Seconds. */
  timeout: number;
}

/** Waits until the kubelet has its own certificate, and signs it where nobody else does. */
export async function waitForBootstrap(
  { signal }: Context,
  machine: Remote,
  { api, node, token, signer, timeout }: Bootstrap,
): Promise<void> {
  await until(
    async () => {
      if (signer) await signKubeletRequests(api, signer, { node, token }, signal);
      // It writes the kubeconfig before it has the certificate that it names, and goes on with the token until then.
      const script = `[ -e ${KUBELET_KUBECONFIG} ] && [ -e ${KUBELET_CERTIFICATE} ]`;
      const { code } = await machine.run(script, {
        step: "looking for the kubelet's certificate",
        signal,
        accept: [0, 1],
      });
      return code === 0 ? true : undefined;
    },
    {
      signal,
      timeout,
      patience: machine.patience,
      onTimeout: (seconds) =>
        new StepError({
          step: "TLS bootstrap of the kubelet",
          machine: machine.label,
          cause: `it has no certificate after ${seconds} s`,
          action: `see ${LOOK} on the machine and \`kubectl get csr\``,
        }),
    },
  );
}

/** A link to the one in force. */
const KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";

const GONE_SECONDS = 120;

/** Out of the cluster: the kubelet knows its folder of manifests only, and ends all pods that came from the API. */
export async function detachKubelet(
  context: Context,
  machine: Remote,
  { node, files }: { node: string; files: readonly string[] },
): Promise<void> {
  const { signal } = context;
  const step = "leaving the cluster";
  const gone = [...files, KUBELET_KUBECONFIG, BOOTSTRAP_KUBECONFIG, KUBELET_CA];
  await machine.run(
    `rm -f ${commandLine(gone)} /var/lib/kubelet/pki/kubelet-client-*
if systemctl is-active -q kubelet; then systemctl restart kubelet; else exit 3; fi`,
    { step, signal, timeout: RESTART_SECONDS, accept: [0, 3] },
  );
  try {
    await untilHealthy(context, machine, "the kubelet", HEALTH, LOOK);
    await waitUntilPodsGone(machine, node, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Its unit may be the next thing to go, and what is left is seen to then.
    context.warn(messageOf(error));
  }
}

/** Waits until only static pods run, whose names end in the node's. */
async function waitUntilPodsGone(machine: Remote, node: string, signal: AbortSignal): Promise<void> {
  const script = `ctr --connect-timeout 2s -n k8s.io tasks ls 2>/dev/null | awk '$3 == "RUNNING" {print $1}' | while read -r id; do
  ctr -n k8s.io containers info "$id" 2>/dev/null | sed -n 's/.*"io.kubernetes.pod.name": "\\(.*\\)".*/\\1/p' | head -n 1
done
docker ps --format '{{.Label "io.kubernetes.pod.name"}}' 2>/dev/null | grep .
true`;
  let left: string[] = [];
  await until(
    async () => {
      const { stdout } = await machine.run(script, { step: "listing pods", signal });
      left = [...new Set(stdout.split("\n").filter((name) => name !== "" && !name.endsWith(`-${node}`)))];
      return left.length === 0 ? true : undefined;
    },
    {
      signal,
      timeout: GONE_SECONDS,
      patience: machine.patience,
      every: 500,
      onTimeout: () =>
        new StepError({
          step: "leaving the cluster",
          machine: machine.label,
          cause: `pods of the cluster still run: ${left.join(", ")}`,
          action: `see ${LOOK}`,
        }),
    },
  );
}
