import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import type { KubeApi } from "../kube/api";
import { readNode } from "../kube/cordon";
import type { Context } from "../rpc/handler";

/** A running kubelet reports its node every 10 s. */
const SECONDS = 60;
const EVERY_MS = 100;

/**
 * Waits until the node of a rebuilt machine reports that machine. Until then it looks like the node of the previous
 * machine, whose removal would delete it together with the role and the taint that kubeadm gave it.
 */
export async function waitForMachine(
  { signal, warn }: Pick<Context, "signal" | "warn">,
  api: KubeApi,
  { node, instance }: { node: string; instance: string },
): Promise<void> {
  const isReported = async () => {
    const reported = (await readNode(api, node, signal))?.status?.nodeInfo?.machineID;
    return !reported || reported === instance || undefined;
  };
  const onTimeout = (seconds: number) =>
    new StepError({
      step: "waiting for the node",
      machine: node,
      cause: `it does not report its rebuilt machine after ${seconds} s`,
      action: "check `journalctl -u kubelet` on the machine",
    });
  try {
    await until(isReported, { signal, timeout: SECONDS, patience: api.patience, every: EVERY_MS, onTimeout });
  } catch (error) {
    signal.throwIfAborted();
    warn(messageOf(error));
  }
}
