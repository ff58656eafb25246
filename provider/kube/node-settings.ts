import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import type { KubeApi } from "./api";
import { isReady } from "./cordon";
import { readWithCause } from "./errors";
import { retryRequest } from "./retry";

/** What we say of a node; what others say of it stays as it is. */
export interface NodeSettings {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: { key: string; value?: string | undefined; effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" }[];
  schedulable: boolean;
}

interface Wait {
  node: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

export async function waitUntilReady(api: KubeApi, { node: name, timeout, signal, status }: Wait): Promise<V1Node> {
  let last = "";
  status("waiting for Ready");
  return until(
    async () => {
      const { answer: node, cause } = await readWithCause(api.core.readNode({ name }), describeNotReady);
      if (node && isReady(node)) return node;
      if (cause !== last) status(`waiting for Ready: ${cause}`);
      last = cause;
      return undefined;
    },
    {
      signal,
      timeout,
      every: 200,
      onTimeout: () =>
        new StepError({
          step: "waiting for Ready",
          machine: name,
          cause: last,
          action:
            "see `journalctl -u kubelet` on the machine and `kubectl get pods -A -o wide`; run again when it is mended",
        }),
    },
  );
}

function describeNotReady(node: V1Node | undefined): string {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  return ready ? (ready.message ?? ready.reason ?? "not Ready") : "the node has not registered";
}

/** Labels, annotations and taints as wanted; what was wanted the last time, and now is not, is removed. */
export async function applyNodeSettings(
  api: KubeApi,
  name: string,
  wanted: NodeSettings,
  signal: AbortSignal,
  old?: NodeSettings,
): Promise<void> {
  const node = await retryRequest("reading the node", signal, () => api.core.readNode({ name }));
  if (!old && JSON.stringify(readNodeSettings(node, wanted)) === JSON.stringify(pick(wanted))) return;
  const ours = new Set([...wanted.taints, ...(old?.taints ?? [])].map(taintId));
  const foreign = (node.spec?.taints ?? []).filter((taint) => !ours.has(taintId(taint)));
  const body = {
    metadata: {
      labels: mergePatchOf(old?.labels, wanted.labels),
      annotations: mergePatchOf(old?.annotations, wanted.annotations),
    },
    spec: {
      unschedulable: wanted.schedulable ? null : true,
      ...(ours.size > 0 ? { taints: [...foreign, ...wanted.taints] } : {}),
    },
  };
  await retryRequest("labelling the node", signal, () => api.core.patchNode({ name, body }, api.mergePatch));
}

/** A merge patch (RFC 7396) that sets what is wanted and removes, by null, what was. */
function mergePatchOf(was: Record<string, string> = {}, is: Record<string, string>): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(was).map((key) => [key, null])), ...is };
}

function taintId({ key, effect }: { key: string; effect: string }): string {
  return `${key}:${effect}`;
}

function pick({ labels, annotations, taints, schedulable }: NodeSettings): NodeSettings {
  return { labels, annotations, taints, schedulable };
}

/** The settings as the API tells them, limited to what is ours. */
export function readNodeSettings(node: V1Node, wanted: NodeSettings): NodeSettings {
  const present = (names: Record<string, string>, live: Record<string, string> = {}) =>
    Object.fromEntries(Object.keys(names).flatMap((key) => (live[key] === undefined ? [] : [[key, live[key]]])));
  const taints = wanted.taints.flatMap((one) => {
    const found = node.spec?.taints?.find((taint) => taintId(taint) === taintId(one));
    return found ? [{ key: found.key, ...(found.value ? { value: found.value } : {}), effect: one.effect }] : [];
  });
  return {
    labels: present(wanted.labels, node.metadata?.labels),
    annotations: present(wanted.annotations, node.metadata?.annotations),
    taints,
    schedulable: !node.spec?.unschedulable,
  };
}
