import { userCommand } from "../../common/user-command";
import type { KubeApi } from "../kube/api";
import { ignoreNotFound } from "../kube/errors";
import { CONTROL_PLANE_LABEL } from "../kube/node-facts";
import { retryRequest } from "../kube/retry";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { removeRecord, type RestoreRecord } from "./restore-record";
import { waitForApiServer, waitForControllers, waitForKubelets } from "./restored-cluster";

/**
 * Proves a cluster that `kubeadm init` has started from a backup, and removes the nodes of its lost control planes:
 * machines cannot join under their names while they seem to be Ready.
 * @param node name of the new control plane
 */
export async function finishRestore(
  context: Context,
  machine: Remote,
  { record, node }: { record: RestoreRecord; node: string },
): Promise<void> {
  const { signal, status, info, warn } = context;
  status("waiting for the restored API server");
  await waitForApiServer(context, machine, signal);
  const api = await context.kube.api([machine.connection], signal);
  status("waiting until the controllers work");
  const unproved = await waitForControllers(api, signal);
  if (unproved !== undefined) warn(`a policy prevents the proof of the controllers: ${unproved}`);
  await removeLostControlPlanes(api, node, context);
  await waitForKubelets(api, [node], signal);
  await removeRecord(machine, signal);
  info(
    `the cluster is restored from backup ${record.id} of ${record.time}; what was written since is lost. ` +
      `Run \`${userCommand("backup")}\`, and remove backup.restoreFrom from the configuration`,
  );
}

async function removeLostControlPlanes(
  api: KubeApi,
  node: string,
  { signal, info }: Pick<Context, "signal" | "info">,
): Promise<void> {
  const list = () => api.core.listNode({ labelSelector: CONTROL_PLANE_LABEL });
  const { items } = await retryRequest(api, "listing the control planes", signal, list);
  for (const { metadata } of items) {
    const name = metadata?.name;
    if (name === undefined || name === node) continue;
    info(`${name} is lost: deleting its node`);
    await retryRequest(api, "deleting a node", signal, () => ignoreNotFound(api.core.deleteNode({ name })));
  }
}
