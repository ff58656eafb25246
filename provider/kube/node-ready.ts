import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { isReady, readNode } from "./cordon";
import { readWithCause } from "./errors";

interface WaitOptions {
  node: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/** Waits until a node is Ready. @throws StepError with the kubelet's last message at the deadline */
export async function waitUntilReady(api: KubeApi, options: WaitOptions): Promise<V1Node> {
  const { node: name, timeout, signal, status } = options;
  let lastCause = "";
  status("waiting for Ready");
  return await until(
    async () => {
      const { answer: node, cause } = await readWithCause(api.core.readNode({ name }), describeNotReady);
      if (node && isReady(node)) return node;
      if (cause !== lastCause) status(`waiting for Ready: ${cause}`);
      lastCause = cause;
      return undefined;
    },
    { signal, timeout, patience: api.patience, every: 200, onTimeout: () => notReadyError(name, lastCause) },
  );
}

function notReadyError(node: string, cause: string): StepError {
  return new StepError({
    step: "waiting for Ready",
    machine: node,
    cause,
    action: "run `journalctl -u kubelet` on the machine and `kubectl get pods -A -o wide`, fix the cause and run again",
  });
}

function describeNotReady(node: V1Node | undefined): string {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  return ready ? (ready.message ?? ready.reason ?? "the node is not Ready") : "the node has not registered";
}

/**
 * Waits until a node is no longer Ready, before another machine takes its name. After a restore, nodes whose machines
 * are gone seem to be Ready until the controller manager misses their reports.
 * @throws StepError if the node stays Ready: a machine runs under that name
 */
export async function waitUntilNotReady(api: KubeApi, options: WaitOptions): Promise<void> {
  const { node: name, timeout, signal, status } = options;
  status("waiting until the earlier machine of this name counts as gone");
  await until(
    async () => {
      const node = await readNode(api, name, signal);
      return node && isReady(node) ? undefined : true;
    },
    {
      ...{ signal, timeout, patience: api.patience, every: 2_000 },
      onTimeout: (seconds) =>
        new StepError({
          step: "kubeadm join",
          machine: name,
          cause: `a node of this name is Ready, also after ${seconds} s: another machine runs under it`,
          action: "give this machine another name, or stop the other one",
        }),
    },
  );
}
