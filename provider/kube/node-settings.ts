import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { optional } from "../../common/optional";
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

/** The labels, annotations, taints and cordon that we manage on a node. Those that others set are left alone. */
export interface NodeSettings {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: { key: string; value?: string | undefined; effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" }[];
  schedulable: boolean;
}

/** Applies the settings to a node, and removes the previous settings that are no longer desired. */
export async function applyNodeSettings(
  api: KubeApi,
  name: string,
  desired: NodeSettings,
  signal: AbortSignal,
  previous?: NodeSettings,
): Promise<void> {
  const node = await retryRequest(api, "reading the node", signal, () => api.core.readNode({ name }));
  if (!previous && isUpToDate(node, desired)) return;
  const managed = new Set([...desired.taints, ...(previous?.taints ?? [])].map(taintId));
  const foreign = (node.spec?.taints ?? []).filter((taint) => !managed.has(taintId(taint)));
  const body = {
    metadata: {
      labels: mergePatchOf(previous?.labels, desired.labels),
      annotations: mergePatchOf(previous?.annotations, desired.annotations),
    },
    spec: {
      unschedulable: desired.schedulable ? null : true,
      ...(managed.size > 0 ? { taints: [...foreign, ...desired.taints] } : {}),
    },
  };
  await retryRequest(api, "labelling the node", signal, () => api.core.patchNode({ name, body }, api.mergePatch));
}

function isUpToDate(node: V1Node, { labels, annotations, taints, schedulable }: NodeSettings): boolean {
  const desired = { labels, annotations, taints, schedulable };
  return JSON.stringify(readNodeSettings(node, desired)) === JSON.stringify(desired);
}

/** Returns a merge patch (RFC 7396) that sets the desired entries and removes, by null, the other previous ones. */
function mergePatchOf(
  previous: Record<string, string> = {},
  desired: Record<string, string>,
): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(previous).map((key) => [key, null])), ...desired };
}

function taintId({ key, effect }: { key: string; effect: string }): string {
  return `${key}:${effect}`;
}

/** Returns the node's current values of the settings that we manage. */
export function readNodeSettings({ metadata, spec }: V1Node, managed: NodeSettings): NodeSettings {
  const taints = managed.taints.flatMap((wanted) => {
    const live = spec?.taints?.find((taint) => taintId(taint) === taintId(wanted));
    return live ? [{ key: live.key, ...optional({ value: live.value || undefined }), effect: wanted.effect }] : [];
  });
  return {
    labels: pickEntries(metadata?.labels, Object.keys(managed.labels)),
    annotations: pickEntries(metadata?.annotations, Object.keys(managed.annotations)),
    taints,
    schedulable: !spec?.unschedulable,
  };
}

function pickEntries(live: Record<string, string> = {}, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = live[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
