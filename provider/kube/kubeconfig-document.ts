import { X509Certificate } from "node:crypto";
import { isMap, isSeq, parseDocument, YAMLSeq, type Document } from "yaml";
import { z } from "zod";
import { hashesOf } from "../pki/former-authorities";

/** Names of the three entries with which a kubeconfig gives access to a cluster. */
export interface EntryNames {
  cluster: string;
  user: string;
  context: string;
}

const SECTIONS = { cluster: "clusters", user: "users", context: "contexts" } as const;
type Kind = keyof typeof SECTIONS;
const KINDS = Object.keys(SECTIONS) as Kind[];

const clusterEntry = z.looseObject({ cluster: z.looseObject({ "certificate-authority-data": z.string() }) });
const userEntry = z.looseObject({ user: z.looseObject({ "client-certificate-data": z.string() }) });
const contextEntry = z.looseObject({ context: z.looseObject({ cluster: z.string(), user: z.string() }) });
const named = z.looseObject({ name: z.string() });
type Entry = z.output<typeof named>;

/** A kubeconfig file. Entries that are not changed keep their place, their formatting and their comments. */
export class KubeconfigDocument {
  private constructor(
    private readonly document: Document,
    private readonly isIndented: boolean,
  ) {}

  /** Parses a kubeconfig; an empty file is one without entries. Returns undefined if the text is something else. */
  static parse(text: string): KubeconfigDocument | undefined {
    const isIndented = !/^- /m.test(text);
    const document: Document = parseDocument(text);
    if (document.errors.length > 0) return undefined;
    document.contents ??= document.createNode({ apiVersion: "v1", kind: "Config" });
    return isKubeconfig(document) ? new KubeconfigDocument(document, isIndented) : undefined;
  }

  get currentContext(): string {
    const current = this.document.get("current-context");
    return typeof current === "string" ? current : "";
  }

  set currentContext(name: string) {
    this.document.set("current-context", name);
  }

  /** Whether it has no cluster, no user and no context. */
  get isEmpty(): boolean {
    return KINDS.every((kind) => this.entries(kind).length === 0);
  }

  /** Whether it has no other entries than these. */
  isOnly(names: EntryNames): boolean {
    return KINDS.every((kind) => this.entries(kind).every(({ name }) => name === names[kind]));
  }

  find(kind: Kind, name: string): Entry | undefined {
    return this.entries(kind).find((entry) => entry.name === name);
  }

  /** Returns from when to when a user's client certificate is valid; undefined if the user has none. */
  clientCertificateLifetime(user: string): { start: Date; end: Date } | undefined {
    const { data } = userEntry.safeParse(this.find("user", user));
    try {
      const pem = Buffer.from(data?.user["client-certificate-data"] ?? "", "base64").toString();
      const { validFrom, validTo } = new X509Certificate(pem);
      return { start: new Date(validFrom), end: new Date(validTo) };
    } catch {
      return undefined;
    }
  }

  /** Replaces the entry of that name, or adds one. */
  put(kind: Kind, entry: Entry): void {
    const list = this.list(kind) ?? this.addList(kind);
    const index = this.entries(kind).findIndex(({ name }) => name === entry.name);
    const node = this.document.createNode(entry);
    if (index < 0) list.add(node);
    else list.set(index, node);
  }

  remove(kind: Kind, name: string): void {
    const index = this.entries(kind).findIndex((entry) => entry.name === name);
    if (index >= 0) this.list(kind)?.delete(index);
  }

  /** Whether it has a cluster of that name with one of these CAs. */
  hasCluster(name: string, caCertHashes: readonly string[]): boolean {
    const { data } = clusterEntry.safeParse(this.find("cluster", name));
    const hashes = data ? hashesOfAuthority(data.cluster["certificate-authority-data"]) : [];
    return hashes.some((hash) => caCertHashes.includes(hash));
  }

  /** Returns the hashes of the CAs that a cluster's entry trusts: two during a rotation of CAs. */
  hashesOf(name: string): string[] {
    const { data } = clusterEntry.safeParse(this.find("cluster", name));
    return data ? hashesOfAuthority(data.cluster["certificate-authority-data"]) : [];
  }

  /** Whether these are the entries of the cluster with one of these CAs: the context leads to it and to the user. */
  hasEntries(names: EntryNames, caCertHashes: readonly string[]): boolean {
    return this.hasCluster(names.cluster, caCertHashes) && this.contextsOf(names).includes(names.context);
  }

  /** Lists the contexts that lead to this cluster with this user. */
  contextsOf({ cluster, user }: Pick<EntryNames, "cluster" | "user">): string[] {
    const contexts = this.contexts().filter((names) => names.cluster === cluster && names.user === user);
    return contexts.map(({ context }) => context);
  }

  /** Lists the entries of all contexts that lead to a cluster with one of these CAs. */
  entriesOf(caCertHashes: readonly string[]): EntryNames[] {
    return this.contexts().filter(({ cluster }) => this.hasCluster(cluster, caCertHashes));
  }

  toString(): string {
    return this.document.toString({ lineWidth: 0, indentSeq: this.isIndented });
  }

  private contexts(): EntryNames[] {
    return this.entries("context").flatMap((entry) => {
      const { data } = contextEntry.safeParse(entry);
      return data ? [{ cluster: data.context.cluster, user: data.context.user, context: entry.name }] : [];
    });
  }

  private list(kind: Kind): YAMLSeq | undefined {
    const list = this.document.get(SECTIONS[kind]);
    return isSeq(list) ? list : undefined;
  }

  private addList(kind: Kind): YAMLSeq {
    const list = new YAMLSeq();
    this.document.set(SECTIONS[kind], list);
    return list;
  }

  private entries(kind: Kind): Entry[] {
    const list = this.list(kind)?.toJS(this.document) as unknown;
    return Array.isArray(list) ? list.map((entry) => named.catch({ name: "" }).parse(entry)) : [];
  }
}

/** The kind may be missing, as for kubectl. */
function isKubeconfig(document: Document): boolean {
  if (!isMap(document.contents)) return false;
  const lists = Object.values(SECTIONS).map((section) => document.get(section));
  const isUsable = lists.every((list) => list === undefined || list === null || isSeq(list));
  const kind = document.get("kind");
  return isUsable && (kind === "Config" || (kind === undefined && lists.some(isSeq)));
}

function hashesOfAuthority(data: string): string[] {
  try {
    return hashesOf(Buffer.from(data, "base64").toString());
  } catch {
    return [];
  }
}
