import type { Progress } from "../../common/progress";
import { messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import { leftoversScript } from "../../render/leftovers";
import { SOCKETS } from "../../render/runtime";
import { template } from "../../render/template";
import type { Remote } from "../ssh/remote";
import { leaveEtcd } from "./etcd-member";

const RESET_SECONDS = 180;
/** Seconds to wait for an earlier kubeadm. */
const LOCK_SECONDS = 120;

export interface ResetOptions {
  signal: AbortSignal;
  status: Progress;
  info?: Progress;
  warn: Progress;
  /** The other control planes. Through them a control plane leaves etcd, even when its own etcd is broken. */
  others?: readonly Remote[];
  /** Resets the machine even when etcd refuses to remove its member. @default false */
  abandoned?: boolean;
}

/**
 * Removes Kubernetes from a machine so that it can join again: leaves etcd on a control plane, runs `kubeadm reset`,
 * and deletes what kubeadm leaves behind.
 * @throws StepError, before anything is deleted, when etcd refuses to remove the member: its data may be the last copy
 */
export async function resetNode(
  machine: Remote,
  { signal, status, info, warn, others = [], abandoned = false }: ResetOptions,
): Promise<void> {
  try {
    await leaveEtcd(machine, others, { signal, status, ...optional({ info }) });
  } catch (error) {
    if (signal.aborted || !abandoned) throw error;
    warn(`etcd may still count ${machine.label} as a member: ${messageOf(error)}`);
  }
  status("kubeadm reset");
  const script = template("kubeadm/reset.sh", {
    CONTAINERD_SOCKET: SOCKETS.containerd,
    DOCKER_SOCKET: SOCKETS.docker,
    LOCK_SECONDS: String(Math.ceil(LOCK_SECONDS * machine.patience)),
  });
  await machine.run(leftoversScript(["flannel", "kube-proxy", "kubelet"], script), {
    step: "kubeadm reset",
    signal,
    timeout: RESET_SECONDS,
    action: "stop what still uses /var/lib/kubelet (mounts, containers), then run again",
  });
}
