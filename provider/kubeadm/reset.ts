import type { Progress } from "../../common/progress";
import { messageOf } from "../../common/errors";
import { remainsScript } from "../../render/leftovers";
import { SOCKETS } from "../../render/runtime";
import { template } from "../../render/template";
import type { Remote } from "../ssh/remote";
import { leaveEtcd } from "./etcd-member";

const RESET_SECONDS = 180;

export interface ResetOptions {
  signal: AbortSignal;
  status: Progress;
  /** What could not be done, and the reset went on. */
  warn: Progress;
  /** The other control planes: through them a control plane leaves etcd, also when its own etcd is broken. */
  others?: readonly Remote[];
}

/**
 * Leaves a machine as if Kubernetes had never been on it, so that it can join again: it leaves etcd if it was a control plane, then
 * kubeadm reset, then what kubeadm leaves behind.
 */
export async function resetNode(machine: Remote, { signal, status, warn, others = [] }: ResetOptions): Promise<void> {
  try {
    await leaveEtcd(machine, others, { signal, status });
  } catch (error) {
    signal.throwIfAborted();
    warn(`etcd's membership of ${machine.label} may be left over: ${messageOf(error)}`);
  }
  status("kubeadm reset");
  await machine.run(
    remainsScript(
      ["flannel", "kube-proxy", "kubelet"],
      template("kubeadm/reset.sh", { CONTAINERD_SOCKET: SOCKETS.containerd, DOCKER_SOCKET: SOCKETS.docker }),
    ),
    {
      step: "kubeadm reset",
      signal,
      timeout: RESET_SECONDS,
      action: "see what holds it (mounts, containers) and run again",
    },
  );
}
