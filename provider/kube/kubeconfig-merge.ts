import { createHash } from "node:crypto";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { sortKeys } from "../../common/json";
import { type EntryNames, KubeconfigDocument } from "./kubeconfig-document";

/** Digits of the CA's hash that make a name unique. */
const SUFFIX_LENGTH = 8;

/** The administrator's entries of a cluster: those that kubeadm writes, or renamed ones. */
export interface AdminEntries {
  names: EntryNames;
  cluster: object;
  user: object;
  /** Hashes of the CAs that it trusts: two during a rotation of CAs. */
  authorities: readonly string[];
}

/** Reads the entries of a control plane's kubeconfig. @throws StepError if it has no current context */
export function readAdminEntries(adminConf: string): AdminEntries {
  const document = KubeconfigDocument.parse(adminConf);
  const context = document?.find("context", document.currentContext)?.context as
    Omit<EntryNames, "context"> | undefined;
  const cluster = context && document?.find("cluster", context.cluster)?.cluster;
  const user = context && document?.find("user", context.user)?.user;
  if (document && context && isObject(cluster) && isObject(user)) {
    const names = { cluster: context.cluster, user: context.user, context: document.currentContext };
    return { names, cluster, user, authorities: document.hashesOf(context.cluster) };
  }
  throw new StepError({
    step: "reading the administrator's kubeconfig",
    cause: "the control plane's kubeconfig has no current context",
    action: "restore it with `kubeadm init phase kubeconfig admin` on the control plane",
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Chooses names that no entry of another cluster has: kubeadm's, or those with a part of the CA's hash at the end. */
export function chooseNames(document: KubeconfigDocument, wanted: EntryNames, caCertHash: string): EntryNames {
  const suffix = caCertHash.replace(/^sha256:/, "").slice(0, SUFFIX_LENGTH);
  for (let attempt = 0; ; attempt++) {
    const end = ["", `-${suffix}`][attempt] ?? `-${suffix}-${attempt}`;
    const names = { cluster: wanted.cluster + end, user: wanted.user + end, context: wanted.context + end };
    if (isFree(document, names) || document.hasEntries(names, [caCertHash])) return names;
  }
}

function isFree(document: KubeconfigDocument, { cluster, user, context }: EntryNames): boolean {
  return !document.find("cluster", cluster) && !document.find("user", user) && !document.find("context", context);
}

/** Writes the entries under these names. The current context changes only if there is none. */
export function putEntries(document: KubeconfigDocument, { cluster, user }: AdminEntries, names: EntryNames): void {
  const context = { cluster: names.cluster, user: names.user };
  document.put("cluster", { name: names.cluster, cluster });
  document.put("user", { name: names.user, user });
  document.put("context", { name: names.context, context });
  if (document.currentContext === "") document.currentContext = names.context;
}

/**
 * Removes the cluster, the user and every context that leads to both, if the cluster still has one of these CAs.
 * Returns whether it had.
 */
export function removeEntries(
  document: KubeconfigDocument,
  names: EntryNames,
  caCertHashes: readonly string[],
): boolean {
  if (!document.hasCluster(names.cluster, caCertHashes)) return false;
  const contexts = document.contextsOf(names);
  contexts.forEach((context) => document.remove("context", context));
  document.remove("user", names.user);
  document.remove("cluster", names.cluster);
  if (contexts.includes(document.currentContext)) document.currentContext = "";
  return true;
}

/** Returns the address of the API server, `host:port`, in the cluster's entry. */
export function readEndpoint(document: KubeconfigDocument, { cluster }: EntryNames): string | undefined {
  const { data } = z.object({ server: z.string() }).safeParse(document.find("cluster", cluster)?.cluster);
  return data?.server.replace(/^https:\/\//, "");
}

/** Writes another address of the API server, `host:port`, into the cluster's entry. */
export function putEndpoint(document: KubeconfigDocument, { cluster }: EntryNames, endpoint: string): void {
  const entry = document.find("cluster", cluster);
  if (entry) document.put("cluster", withEndpoint(entry, endpoint));
}

function withEndpoint<T extends object>(entry: T, endpoint?: string): T {
  if (endpoint === undefined || !("cluster" in entry) || !isObject(entry.cluster)) return entry;
  return { ...entry, cluster: { ...entry.cluster, server: `https://${endpoint}` } };
}

/**
 * SHA-256 of the entries of these names, whatever the order of their properties is. Undefined if one is missing.
 * @param endpoint hashes the cluster's entry as if it had this address of the API server, `host:port`
 */
export function hashEntries(document: KubeconfigDocument, names: EntryNames, endpoint?: string): string | undefined {
  const entries = (["cluster", "user", "context"] as const).flatMap((kind) => document.find(kind, names[kind]) ?? []);
  if (entries.length < 3) return undefined;
  return createHash("sha256")
    .update(JSON.stringify(entries.map((entry) => sortKeys(withEndpoint(entry, endpoint)))))
    .digest("hex");
}
