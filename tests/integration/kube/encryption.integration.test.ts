import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadVersions, obtainArtifacts } from "../../../artifacts";
import { silent } from "../../../common/progress";
import { controllerArch } from "../../../components/machines/machine";
import { encryptionResource } from "../../../provider/resources/encryption";
import type { Context } from "../../../provider/rpc/handler";
import {
  ENCRYPTION_FLAGS,
  type EncryptionKey,
  type KeySet,
  readingConfiguration,
  writingConfiguration,
} from "../../../render/encryption";
import { ApiServer } from "../../support/apiserver";
import { MemoryMachine } from "../../support/memory-machine";
import type { RunOptions } from "../../../provider/ssh/remote";

/** An API server reads its configuration once a minute. */
const MINUTES = 5 * 60_000;
const TEXT = "text-that-etcd-must-not-have";
const folder = mkdtempSync(join(tmpdir(), "kubewright-encryption-"));
const path = join(folder, "config.yaml");
const key = (name: string, provider: EncryptionKey["provider"]): EncryptionKey => ({
  name,
  provider,
  secret: Buffer.alloc(32, name).toString("base64"),
});
const one: KeySet = { provider: "secretbox", keys: [key("key1", "secretbox")] };
const two: KeySet = { provider: "aesgcm", keys: [key("key2", "aesgcm"), ...one.keys] };

let server: ApiServer;
let etcdctl: (...args: string[]) => Buffer;

/** The machine of the API server: its files are on this computer's disk. */
class LocalMachine extends MemoryMachine {
  override async run(script: string, options: RunOptions) {
    const result = await super.run(script, options);
    const file = this.files.get(path);
    if (file) writeFileSync(path, file.content);
    return result;
  }
}

const machine = new LocalMachine();

beforeAll(async () => {
  const kubernetes = loadVersions().kubernetes.default;
  const wanted = { source: "auto", kubernetes, arch: controllerArch() };
  const { binaries } = await obtainArtifacts(wanted, silent, new AbortController().signal);
  write(readingConfiguration(one));
  const flags = { ...ENCRYPTION_FLAGS, "encryption-provider-config": path };
  server = await ApiServer.start(Object.entries(flags).map(([name, value]) => `--${name}=${value}`));
  etcdctl = (...args) => execFileSync(binaries.etcdctl.path, [...args, `--endpoints=${server.etcd}`]);
  machine.on(/etcdctl get/, (script) => {
    const [, name = ""] = /etcdctl get (\S+)/.exec(script) ?? [];
    const [, bytes = ""] = /head -c (\d+)/.exec(script) ?? [];
    return etcdctl("get", name.replaceAll("'", ""), "--print-value-only").subarray(0, Number(bytes)).toString("base64");
  });
  for (const name of ["a", "b"])
    await server.api.core.createNamespacedSecret({
      namespace: "default",
      body: { metadata: { name }, stringData: { text: TEXT } },
    });
}, MINUTES);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(content: string): void {
  machine.files.set(path, { content, mode: "0600" });
  writeFileSync(path, content);
}

/** Lets the resource encrypt the Secrets. */
async function encrypt(set: KeySet): Promise<void> {
  const kube = { api: async () => server.api, readText: async () => await server.readText("/metrics") };
  const context = machine.context({ kube: kube as unknown as Context["kube"] });
  const inputs = { controlPlanes: [machine.connection], caCertHash: "sha256:1", path, ...set };
  await encryptionResource.create(context, inputs);
}

/** Beginnings of all Secrets in etcd, and whether etcd has their text. */
function stored(): { prefixes: string[]; hasText: boolean } {
  const values = ["a", "b"].map((name) => etcdctl("get", `/registry/secrets/default/${name}`, "--print-value-only"));
  return {
    prefixes: values.map((value) => /^k8s(?::enc:\w+:v1:\w+(?=:))?/.exec(value.toString("latin1"))?.[0] ?? ""),
    hasText: etcdctl("get", "/registry/secrets/", "--prefix").includes(TEXT),
  };
}

async function readSecret(name: string): Promise<string> {
  const { data } = await server.api.core.readNamespacedSecret({ namespace: "default", name });
  return Buffer.from(data?.text ?? "", "base64").toString();
}

test(
  "what etcd stores is encrypted, without a restart of the API server",
  async () => {
    expect(stored()).toEqual({ prefixes: ["k8s", "k8s"], hasText: true });
    await encrypt(one);
    expect(stored()).toEqual({ prefixes: Array(2).fill("k8s:enc:secretbox:v1:key1"), hasText: false });
    expect(await readSecret("a")).toBe(TEXT);
  },
  MINUTES,
);

test(
  "a new key of another provider replaces the first one",
  async () => {
    write(readingConfiguration(two, writingConfiguration(one)));
    await encrypt(two);
    expect(stored()).toEqual({ prefixes: Array(2).fill("k8s:enc:aesgcm:v1:key2"), hasText: false });
    expect(await readSecret("b")).toBe(TEXT);
  },
  MINUTES,
);
