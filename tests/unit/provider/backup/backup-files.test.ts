import { expect, test } from "vitest";
import { withoutOwnFiles } from "../../../../provider/backup/backup-files";
import { textFile } from "../../../../provider/host/files";
import { canRead, ENCRYPTION_FILE, type KeySet, writesWith, writingConfiguration } from "../../../../render/encryption";
import { MemoryMachine } from "../../../support/memory-machine";

const KEY = "/etc/kubernetes/pki/ca.key";
const POLICY = "/etc/kubernetes/audit/policy.yaml";
const keySet = (secret: string): KeySet => ({
  provider: "secretbox",
  keys: [{ name: "key1", provider: "secretbox", secret }],
});
const [ofBackup, ofConfiguration] = [keySet("secret of the backup"), keySet("secret of the configuration")];
const FILES = [
  textFile(KEY, "the key of the CA", "0600"),
  textFile(POLICY, "the policy of the backup", "0600"),
  textFile(ENCRYPTION_FILE, writingConfiguration(ofBackup), "0600"),
];

async function filesFor(existing: Record<string, string>) {
  const machine = new MemoryMachine();
  for (const [path, content] of Object.entries(existing)) machine.files.set(path, { content, mode: "0600" });
  const files = await withoutOwnFiles(
    machine.context().connections.get(machine.target.connection),
    FILES,
    AbortSignal.timeout(1_000),
  );
  return new Map(files.map(({ path, body }) => [path, typeof body === "string" ? body : body.source]));
}

test("an empty machine gets all files of the backup", async () => {
  expect([...(await filesFor({})).keys()]).toEqual([KEY, POLICY, ENCRYPTION_FILE]);
});

test("files of the configuration stay, and the cluster's authorities are those of the backup", async () => {
  const files = await filesFor({ [POLICY]: "the policy of the configuration", [KEY]: "of an earlier attempt" });
  expect([...files.keys()]).toEqual([KEY, ENCRYPTION_FILE]);
  expect(files.get(KEY)).toBe("the key of the CA");
});

test("Secrets are read with both keys, and written with the configuration's, also if both have one name", async () => {
  const text = (await filesFor({ [ENCRYPTION_FILE]: writingConfiguration(ofConfiguration) })).get(ENCRYPTION_FILE);
  expect(writesWith(text, ofConfiguration)).toBe(true);
  expect([ofConfiguration, ofBackup].map((set) => canRead(text, set))).toEqual([true, true]);
});
