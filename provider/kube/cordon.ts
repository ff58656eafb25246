import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { retryRequest } from "./retry";

const RESTORE_MS = 30_000;

/** Cordons or uncordons; @returns false where there is no such node. */
export async function setSchedulable(
  api: KubeApi,
  node: string,
  schedulable: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const body = { spec: { unschedulable: schedulable ? null : true } };
  const patched = await retryRequest(schedulable ? "uncordon" : "cordon", signal, () =>
    ignoreNotFound(api.core.patchNode({ name: node, body }, api.mergePatch)),
  );
  return patched !== undefined;
}

/** As it was, also when everything else was told to stop: so with a signal of its own. */
export async function restoreSchedulable(api: KubeApi, node: string): Promise<void> {
  await setSchedulable(api, node, true, AbortSignal.timeout(RESTORE_MS));
}

export async function readNode(api: KubeApi, name: string, signal: AbortSignal): Promise<V1Node | undefined> {
  return await retryRequest("reading the node", signal, () => ignoreNotFound(api.core.readNode({ name })));
}

/** @throws StepError where there is none. */
export async function requireNode(api: KubeApi, name: string, signal: AbortSignal): Promise<V1Node> {
  const node = await readNode(api, name, signal);
  if (node) return node;
  throw new StepError({
    step: "looking for the node",
    machine: name,
    cause: "the cluster has no such node",
    action: "see `npm run status`",
  });
}

export function isReady(node: V1Node): boolean {
  return node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

export function isCordoned(node: V1Node): boolean {
  return node.spec?.unschedulable === true;
}
