import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  canRead,
  type EncryptionKey,
  readingConfiguration,
  storedPrefix,
  writesWith,
  writingConfiguration,
} from "../../../render/encryption";

const key = (name: string, provider: EncryptionKey["provider"] = "secretbox"): EncryptionKey => ({
  name,
  provider,
  secret: `${name} secret`,
});
const one = { provider: "secretbox", keys: [key("key1")] } as const;
const two = { provider: "aesgcm", keys: [key("key2", "aesgcm"), key("key1")] } as const;
const decrypted = { provider: "identity", keys: [key("key1")] } as const;

/** The providers of a configuration in their order: `secretbox key1`. */
function providers(configuration: string): string[] {
  const { resources } = parse(configuration) as { resources: { providers: Record<string, object>[] }[] };
  const [entries = []] = resources.map((resource) => resource.providers);
  return entries.map((entry) => {
    const [[provider = "", settings = {}] = []] = Object.entries(entry);
    const { keys: [first] = [] } = settings as { keys?: { name: string }[] };
    return first ? `${provider} ${first.name}` : provider;
  });
}

describe("an API server", () => {
  test("writes with the newest key, and reads what earlier keys and plain text have stored", () => {
    expect(providers(writingConfiguration(two))).toEqual(["aesgcm key2", "secretbox key1", "identity"]);
    expect(writesWith(writingConfiguration(two), two)).toBe(true);
    expect(writesWith(writingConfiguration(one), two)).toBe(false);
  });

  test("still reads with keys that are not in the set: a restored backup may have Secrets of theirs", () => {
    const current = writingConfiguration({ ...one, keys: [key("restored")] });
    const configuration = writingConfiguration(two, current);
    expect(providers(configuration)).toEqual(["aesgcm key2", "secretbox key1", "secretbox restored", "identity"]);
  });

  test("writes plain text with `identity`, and still reads encrypted Secrets", () => {
    expect(providers(writingConfiguration(decrypted))).toEqual(["identity", "secretbox key1"]);
    expect(canRead(writingConfiguration(decrypted), one)).toBe(true);
  });

  test("that had no configuration goes on with plain text until all know the key", () => {
    expect(providers(readingConfiguration(one))).toEqual(["identity", "secretbox key1"]);
  });

  test("that has a new key goes on with its present one until all know the new one", () => {
    const configuration = readingConfiguration(two, writingConfiguration(one));
    expect(providers(configuration)).toEqual(["secretbox key1", "aesgcm key2", "identity"]);
    expect(canRead(configuration, two)).toBe(true);
    expect(writesWith(configuration, two)).toBe(false);
  });

  test("keeps a key that is not in the set: Secrets may be stored with it", () => {
    const configuration = readingConfiguration(one, writingConfiguration({ ...one, keys: [key("of a person")] }));
    expect(providers(configuration)).toEqual(["secretbox of a person", "secretbox key1", "identity"]);
  });

  test("cannot read with a missing, empty or older configuration", () => {
    expect([undefined, "", writingConfiguration(one)].map((text) => canRead(text, two))).toEqual([false, false, false]);
  });
});

test("etcd's values begin with provider and key", () => {
  expect(storedPrefix(two)).toBe("k8s:enc:aesgcm:v1:key2:");
  expect(storedPrefix(decrypted)).toBeUndefined();
});
