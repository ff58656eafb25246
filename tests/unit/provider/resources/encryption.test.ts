import { describe, expect, test } from "vitest";
import { encryptionResource as resource } from "../../../../provider/resources/encryption";
import {
  type EncryptionKey,
  readingConfiguration,
  storedPrefix,
  writingConfiguration,
} from "../../../../render/encryption";
import { sha256 } from "../../../../provider/host/files";
import type { Context } from "../../../../provider/rpc/handler";
import { httpError, MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

const PATH = "/etc/kubewright/encryption/config.yaml";
const key = (name: string): EncryptionKey => ({ name, provider: "secretbox", secret: `${name} secret` });
const one = { provider: "secretbox" as const, keys: [key("key1")] };
const two = { provider: "secretbox" as const, keys: [key("key2"), key("key1")] };
const BEFORE = readingConfiguration(two, writingConfiguration(one));

/** A control plane whose API server reads its file immediately, beside an API with three Secrets. */
class Cluster extends MemoryMachine {
  readonly memory = new MemoryApi();
  /** What etcd stores of a new Secret. */
  stored: string = storedPrefix(two) ?? "";

  constructor(configuration?: string) {
    super();
    if (configuration !== undefined) this.files.set(PATH, { content: configuration, mode: "0600" });
    for (const name of ["a", "b", "c"]) this.memory.secrets.set(`default/${name}`, this.secret(name));
    this.on(/etcdctl get/, () => Buffer.from(this.stored).toString("base64"));
  }

  get inputs() {
    return { controlPlanes: [this.connection], caCertHash: "sha256:1", path: PATH };
  }

  get configuration(): string | undefined {
    return this.files.get(PATH)?.content;
  }

  get kubeContext(): Context {
    const kube = {
      api: () => Promise.resolve(this.memory.api),
      readText: () => Promise.resolve(`last_config_info{hash="sha256:${sha256(this.configuration ?? "")}"} 1`),
    };
    return this.context({ kube: kube as unknown as Context["kube"] });
  }

  async encrypt(set: object): Promise<void> {
    await resource.create(this.kubeContext, { ...this.inputs, ...set });
  }

  private secret(name: string) {
    return { metadata: { name, namespace: "default" }, data: { text: "eA==" } };
  }
}

const replaced = ({ memory }: Cluster) => memory.calls.filter((call) => call === "replaceNamespacedSecret").length;

describe("with a new key", () => {
  test("an API server writes with it, and all Secrets are written again", async () => {
    const cluster = new Cluster(BEFORE);
    await cluster.encrypt(two);
    expect(cluster.configuration).toBe(writingConfiguration(two));
    expect(replaced(cluster)).toBe(3);
  });

  test("no Secret that the proof has created stays", async () => {
    const cluster = new Cluster(BEFORE);
    await cluster.encrypt(two);
    expect([...cluster.memory.secrets.keys()]).toEqual(["default/a", "default/b", "default/c"]);
  });

  test("a Secret that changes or is deleted at the same time is no failure", async () => {
    const cluster = new Cluster(BEFORE);
    const answers = [httpError(409, "the object has been modified"), httpError(404, "not found")];
    cluster.memory.inject = (call) => (call === "replaceNamespacedSecret" ? answers.shift() : undefined);
    await cluster.encrypt(two);
    expect(replaced(cluster)).toBe(3);
  });
});

describe("nothing changes where", () => {
  test.each([
    ["an API server does not know the key", writingConfiguration(one)],
    ["an API server has no file", undefined],
  ])("%s", async (_what, configuration) => {
    const cluster = new Cluster(configuration);
    await expect(cluster.encrypt(two)).rejects.toThrow(/worker-1 .*does not have all keys.*--refresh/);
    expect(cluster.configuration).toBe(configuration);
    expect(cluster.memory.calls).toEqual([]);
  });
});

test("no Secret is written again if etcd stores new ones as plain text", async () => {
  const cluster = new Cluster(BEFORE);
  cluster.stored = "k8s\0 plain text";
  await expect(cluster.encrypt(two)).rejects.toThrow(/etcd stores a new Secret as .*not as .*key2/);
  expect(replaced(cluster)).toBe(0);
});

test("Secrets become plain text again", async () => {
  const cluster = new Cluster(writingConfiguration(two));
  cluster.stored = "k8s\0";
  const set = { ...two, provider: "identity" as const };
  await cluster.encrypt(set);
  expect(cluster.configuration).toBe(writingConfiguration(set));
  expect(replaced(cluster)).toBe(3);
});

test("a refresh finds an API server that does not write with the newest key", async () => {
  const read = async (cluster: Cluster) => {
    const inputs = { ...cluster.inputs, ...two };
    return (await resource.read?.(cluster.kubeContext, "encryption", { inputs, outputs: {} }))?.inputs;
  };
  expect(await read(new Cluster(BEFORE))).toMatchObject({
    problem: expect.stringMatching(/worker-1 .*newest key/) as string,
  });
  expect(await read(new Cluster(writingConfiguration(two)))).not.toHaveProperty("problem");
});
