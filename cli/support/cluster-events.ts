import type { CoreV1Event } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "../../provider/kube/api";
import { retryRequest } from "../../provider/kube/retry";

const PATIENCE = 0.25;

/** Reads the events of all namespaces as lines, the oldest first. The API server keeps them for an hour. */
export async function readEvents(api: KubeApi, signal: AbortSignal): Promise<string> {
  const limit = { patience: api.patience * PATIENCE };
  const { items } = await retryRequest(limit, "listing events", signal, () => api.core.listEventForAllNamespaces());
  const lines = items.map(eventLine).sort();
  return lines.length === 0 ? "there are no events\n" : `${lines.join("\n")}\n`;
}

function eventLine(event: CoreV1Event): string {
  const { type, reason, message, count, involvedObject, metadata } = event;
  const time = event.lastTimestamp ?? event.eventTime ?? metadata.creationTimestamp;
  const object = [involvedObject.namespace, involvedObject.kind, involvedObject.name].filter(Boolean).join("/");
  const times = count !== undefined && count > 1 ? ` (${count} times)` : "";
  const when = time ? new Date(time).toISOString() : "-";
  return `${[when, type, reason, object].filter(Boolean).join(" ")}: ${message ?? ""}${times}`;
}
