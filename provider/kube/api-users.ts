import { z } from "zod";
import { parseJson } from "../../common/json";
import type { Connection } from "../../contracts/connection";
import type { Remote } from "../ssh/remote";
import type { KubeClients } from "./clients";
import type { DeprecatedApi } from "./deprecated-apis";

/** Objects of a resource that are read to find their writers. */
const MOST_OBJECTS = 500;
/** Lines of the audit log of a control plane, from its end. */
const MOST_LINES = 2_000;

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        managedFields: z.array(z.object({ manager: z.string(), apiVersion: z.string() })).default([]),
      }),
    }),
  ),
});

/**
 * Reads which clients have written objects by a deprecated API. The API server records the name of the client, which is
 * the first part of its user agent, on each object.
 */
export async function readWriters(
  kube: Pick<KubeClients, "readText">,
  controlPlane: Connection,
  { resource }: DeprecatedApi,
  signal: AbortSignal,
): Promise<string[]> {
  const { plural, apiVersion } = parseResource(resource);
  const path = `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}/${plural}?limit=${MOST_OBJECTS}`;
  const text = await kube.readText(controlPlane, path, signal).catch(() => {
    signal.throwIfAborted();
    return "";
  });
  const fields = (listSchema.safeParse(parseJson(text)).data?.items ?? []).flatMap(
    ({ metadata }) => metadata.managedFields,
  );
  return [...new Set(fields.filter((one) => one.apiVersion === apiVersion).map(({ manager }) => manager))].sort();
}

/** `widgets.v1beta3.shop.example.com` */
function parseResource(resource: string): { plural: string; apiVersion: string } {
  const [plural = "", version = "", ...group] = resource.split(".");
  return { plural, apiVersion: group.length === 0 ? version : `${group.join(".")}/${version}` };
}

const eventSchema = z.object({
  userAgent: z.string().default(""),
  objectRef: z.object({ resource: z.string(), apiGroup: z.string().default(""), apiVersion: z.string() }),
  requestReceivedTimestamp: z.string().default(""),
});

/** Prints the latest requests of deprecated APIs in the audit log, if the API server writes one. */
const AUDIT = `log=$(sed -n 's/^ *- --audit-log-path=//p' /etc/kubernetes/manifests/kube-apiserver.yaml 2>/dev/null)
[ -n "$log" ] && [ "$log" != - ] && [ -e "$log" ] || exit 0
grep -F '"k8s.io/deprecated":"true"' "$log" | tail -n ${MOST_LINES}`;

/** Reads the user agents of deprecated APIs from the audit log of a control plane, by resource, the latest one last. */
export async function readAuditedUsers(machine: Remote, signal: AbortSignal): Promise<Map<string, string[]>> {
  const { stdout } = await machine.read(AUDIT, { step: "reading the audit log", signal });
  const users = new Map<string, string[]>();
  for (const line of stdout.split("\n")) {
    const event = eventSchema.safeParse(parseJson(line)).data;
    if (!event) continue;
    const { resource, apiVersion, apiGroup } = event.objectRef;
    const name = [resource, apiVersion, apiGroup].filter(Boolean).join(".");
    const user = `${event.userAgent} at ${event.requestReceivedTimestamp}`;
    const others = (users.get(name) ?? []).filter((other) => !other.startsWith(`${event.userAgent} at `));
    users.set(name, [...others, user]);
  }
  return users;
}
