import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { optional } from "../../common/optional";
import { isReady } from "../../provider/kube/cordon";
import type { KubeApi } from "../../provider/kube/api";
import { ignoreNotFound, statusOf } from "../../provider/kube/errors";
import { retryRequest } from "../../provider/kube/retry";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { machineRemotes } from "../engine/machines";
import type { RestoreContext } from "./restore";
import { waitForKubelets } from "../../provider/backup/restored-cluster";

/** The nodes before a restore; undefined where no API answered. */
export type NodesBefore = readonly V1Node[] | undefined;

const nameOf = (node: V1Node) => node.metadata?.name ?? "";

export function listNodes(api: KubeApi, signal: AbortSignal): Promise<V1Node[]> {
  return retryRequest(api, "listing the nodes", signal, async () => (await api.core.listNode()).items);
}

export interface NodeChanges {
  /** Nodes of the backup that have left since. */
  left: string[];
  /** Nodes and machines that have joined since. */
  joined: string[];
  /** Nodes of the backup that are no machines of the stack, while no API said whether they have left. */
  unknown: string[];
}

/** Compares the nodes of a backup with those before the restore and with the stack's machines. */
export function nodeChanges(backup: readonly string[], before: NodesBefore, machines: readonly string[]): NodeChanges {
  const present = new Set([...(before ?? []).map(nameOf), ...machines]);
  const absent = backup.filter((name) => !present.has(name));
  return {
    left: before ? absent : [],
    joined: [...present].filter((name) => !backup.includes(name)).sort(),
    unknown: before ? [] : absent,
  };
}

/**
 * Makes the nodes of the restored state those of the machines: deletes nodes that have left, and creates nodes again
 * that have joined since. Waits until the kubelets report.
 */
export async function repairNodes(context: RestoreContext, api: KubeApi, before: NodesBefore): Promise<void> {
  const { signal, progress } = context.session;
  const machines = await machineRemotes(context.stack, context.session);
  const names = machines.map(({ connection }) => machineName(connection));
  const restored = (await listNodes(api, signal)).map(nameOf);
  const { left, joined, unknown } = nodeChanges(restored, before, names);
  for (const name of left) {
    progress(`${name} has left since the backup: deleting its node`);
    await retryRequest(api, "deleting a node", signal, () => ignoreNotFound(api.core.deleteNode({ name })));
  }
  for (const name of joined) {
    progress(`${name} has joined since the backup: creating its node again`);
    const node = before?.find((one) => nameOf(one) === name);
    if (node) await createNode(api, node, signal);
    await restartKubelet(
      machines.find(({ connection }) => machineName(connection) === name),
      signal,
    );
  }
  if (unknown.length > 0) progress(`${unknown.join(", ")}: no machine of this stack; delete the nodes that have left`);
  progress("waiting until the kubelets report");
  await waitForKubelets(api, expectedNodes(before, names), signal);
}

/** Returns the nodes whose kubelets must report: those that were Ready, and machines whose node was missing. */
export function expectedNodes(before: NodesBefore, machines: readonly string[]): string[] {
  const known = (before ?? []).map(nameOf);
  const ready = (before ?? []).filter(isReady).map(nameOf);
  return [...ready, ...machines.filter((name) => !known.includes(name))];
}

/** Creates a node as it was. Its range of pod addresses must stay: its pods and its bridge have addresses from it. */
async function createNode(api: KubeApi, node: V1Node, signal: AbortSignal): Promise<void> {
  const { name, labels, annotations } = node.metadata ?? {};
  const { podCIDR, podCIDRs, providerID, taints, unschedulable } = node.spec ?? {};
  const body: V1Node = {
    metadata: optional({ name, labels, annotations }),
    spec: optional({ podCIDR, podCIDRs, providerID, taints, unschedulable }),
  };
  await retryRequest(api, "creating a node", signal, async () => {
    await api.core.createNode({ body }).catch((error: unknown) => {
      if (statusOf(error) !== 409) throw error; // The kubelet, or an earlier attempt, has created it.
    });
  });
}

/** A kubelet creates its node only when it starts. */
async function restartKubelet(machine: Remote | undefined, signal: AbortSignal): Promise<void> {
  await machine?.run("systemctl restart kubelet", { step: "restarting the kubelet", signal });
}
