import { template } from "../../render/template";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const RESET_SECONDS = 180;

/**
 * Leaves a machine as if Kubernetes had never been on it, so that it can join again: kubeadm reset, and what kubeadm leaves
 * behind (https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/#cleanup-of-external-etcd-members).
 */
export async function resetNode(context: Context, machine: Remote): Promise<void> {
  context.status("kubeadm reset");
  await machine.run(template("kubeadm/reset.sh"), {
    step: "kubeadm reset",
    signal: context.signal,
    timeout: RESET_SECONDS,
    action: "see what holds it (mounts, containers) and run again",
  });
}
