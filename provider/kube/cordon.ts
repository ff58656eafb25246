import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { timeoutSignal } from "../../common/timer";
import { StepError } from "../../common/errors";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { isOutOfService } from "./out-of-service";
import { retryRequest } from "./retry";
import { userCommand } from "../../common/user-command";

const RESTORE_MS = 30_000;

/**
 * Cordons or uncordons a node. Uncordoning also removes the out-of-service taint of a machine that is back.
 * @returns false when the cluster has no such node
 */
export async function setSchedulable(
  api: KubeApi,
  node: string,
  schedulable: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const live = await readNode(api, node, signal);
  if (!live) return false;
  const taints = live.spec?.taints ?? [];
  const isBack = schedulable && taints.some(isOutOfService);
  const spec = {
    unschedulable: schedulable ? null : true,
    ...(isBack ? { taints: taints.filter((taint) => !isOutOfService(taint)) } : {}),
  };
  const patched = await retryRequest(api, schedulable ? "uncordon" : "cordon", signal, () =>
    ignoreNotFound(api.core.patchNode({ name: node, body: { spec } }, api.mergePatch)),
  );
  return patched !== undefined;
}

/** Uncordons a node after a failed drain. It has a deadline of its own, because the drain's signal may be aborted. */
export async function restoreSchedulable(api: KubeApi, node: string): Promise<void> {
  await setSchedulable(api, node, true, timeoutSignal(RESTORE_MS));
}

/** Reads a node. @returns undefined when the cluster has no such node */
export async function readNode(api: KubeApi, name: string, signal: AbortSignal): Promise<V1Node | undefined> {
  return await retryRequest(api, "reading the node", signal, () => ignoreNotFound(api.core.readNode({ name })));
}

/** Reads a node. @throws StepError when the cluster has no such node */
export async function requireNode(api: KubeApi, name: string, signal: AbortSignal): Promise<V1Node> {
  const node = await readNode(api, name, signal);
  if (node) return node;
  throw new StepError({
    step: "reading the node",
    machine: name,
    cause: "the cluster has no node of this name",
    action: `run \`${userCommand("status")}\` to list the nodes`,
  });
}

/** Returns whether the node's condition Ready is True. */
export function isReady(node: V1Node): boolean {
  return node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

/** Returns whether the node is marked unschedulable. */
export function isCordoned(node: V1Node): boolean {
  return node.spec?.unschedulable === true;
}
