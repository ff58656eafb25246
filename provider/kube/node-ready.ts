import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { isReady } from "./cordon";
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
