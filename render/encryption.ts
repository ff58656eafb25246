import { parse } from "yaml";
import { yamlText } from "./json";

/** Where the API server reads its keys. The folder is mounted, so that a replaced file is seen in the container. */
export const ENCRYPTION_FOLDER = "/etc/kubewright/encryption";
export const ENCRYPTION_FILE = `${ENCRYPTION_FOLDER}/config.yaml`;

export const ENCRYPTION_FLAG = "encryption-provider-config";
/** The API server reads a changed file within a minute, without a restart. */
export const ENCRYPTION_FLAGS = {
  [ENCRYPTION_FLAG]: ENCRYPTION_FILE,
  "encryption-provider-config-automatic-reload": "true",
} as const;

/** How Secrets are stored in etcd: encrypted, or with `identity` as plain text. */
export const ENCRYPTION_PROVIDERS = ["secretbox", "aesgcm", "identity"] as const;
export type EncryptionProvider = (typeof ENCRYPTION_PROVIDERS)[number];

const KEY_PROVIDERS = ["secretbox", "aesgcm"] as const;

export interface EncryptionKey {
  /** Name by which etcd's values refer to the key: `key1`. */
  name: string;
  provider: (typeof KEY_PROVIDERS)[number];
  /** 32 random bytes, base64. */
  secret: string;
}

/** A provider of the configuration. A key has a provider of its own, so that its order decides which one writes. */
type Entry = Record<string, { keys?: { name: string; secret: string }[] }>;

/** Keys by which Secrets are read and written, the newest first. */
export interface KeySet {
  provider: EncryptionProvider;
  keys: readonly EncryptionKey[];
}

/**
 * Renders a configuration with which the API server writes by the set's provider and newest key. It still reads what it
 * reads with `current`: a restored backup may have Secrets that another key has encrypted. Secret.
 */
export function writingConfiguration(set: KeySet, current?: string): string {
  return render([writerOf(set), ...set.keys.map(entryOf), ...entriesOf(current), IDENTITY]);
}

/**
 * Renders a configuration with which the API server can read the set's keys, and writes as it does with `current`.
 * Without a current configuration it writes plain text, because the other API servers may not know the keys yet.
 * Secret.
 */
export function readingConfiguration({ keys }: KeySet, current?: string): string {
  const writer = entriesOf(current)[0] ?? IDENTITY;
  return render([writer, ...keys.map(entryOf), ...entriesOf(current), IDENTITY]);
}

/** Renders a configuration that writes as the first one does, and reads what either of the two reads. Secret. */
export function joinConfigurations(first: string, second: string): string {
  return render([...entriesOf(first), ...entriesOf(second)]);
}

/** Returns the keys of a configuration, the newest first. Secret. */
export function keysOf(configuration: string): EncryptionKey[] {
  const all = entriesOf(configuration).flatMap((entry) =>
    KEY_PROVIDERS.flatMap((provider) => (entry[provider]?.keys ?? []).map((key) => ({ provider, ...key }))),
  );
  const ageOf = ({ name }: EncryptionKey) => Number(/\d+$/.exec(name)?.[0] ?? 0);
  return all.sort((one, other) => ageOf(other) - ageOf(one));
}

/** Whether an API server with this configuration can read everything that the set has written. */
export function canRead(configuration: string | undefined, { keys }: KeySet): boolean {
  const known = entriesOf(configuration).map(textOf);
  return (
    configuration !== undefined && [...keys.map(entryOf), IDENTITY].every((entry) => known.includes(textOf(entry)))
  );
}

/** Whether an API server with this configuration writes by the set's provider and newest key. */
export function writesWith(configuration: string | undefined, set: KeySet): boolean {
  const [first] = entriesOf(configuration);
  return first !== undefined && textOf(first) === textOf(writerOf(set));
}

/** Prefix of a value in etcd that the set has written; undefined for plain text. */
export function storedPrefix({ provider, keys: [newest] }: KeySet): string | undefined {
  return provider === "identity" || !newest ? undefined : `k8s:enc:${newest.provider}:v1:${newest.name}:`;
}

const IDENTITY: Entry = { identity: {} };

function writerOf({ provider, keys: [newest] }: KeySet): Entry {
  return provider === "identity" || !newest ? IDENTITY : entryOf(newest);
}

function entryOf({ provider, name, secret }: EncryptionKey): Entry {
  return { [provider]: { keys: [{ name, secret }] } };
}

function textOf(entry: Entry): string {
  return JSON.stringify(entry);
}

/** Source: https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/ */
function render(entries: readonly Entry[]): string {
  const unique = new Map(entries.map((entry) => [textOf(entry), entry]));
  return yamlText({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [{ resources: ["secrets"], providers: [...unique.values()] }],
  });
}

function entriesOf(configuration: string | undefined): Entry[] {
  if (configuration === undefined) return [];
  const { resources = [] } = (parse(configuration) ?? {}) as { resources?: { providers?: Entry[] }[] };
  return resources[0]?.providers ?? [];
}
