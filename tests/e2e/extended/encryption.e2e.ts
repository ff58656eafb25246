import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { output } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { ETCDCTL } from "../../../render/etcdctl";
import { ENCRYPTION_FILE } from "../../../render/encryption";
import { kubectlOf, type Kubectl } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";

/** The last version that could not encrypt Secrets. */
const BEFORE = "3840ec5";
const CONTROL_PLANE = "control-plane-1";
const TEXT = "text-that-etcd-must-not-have";

/** Lets a stack create a Secret, and reads how etcd stores all of them. */
class Secrets {
  private constructor(
    private readonly stack: TestStack,
    private readonly kubectl: Kubectl,
  ) {}

  static async create(stack: TestStack): Promise<Secrets> {
    const kubectl = await kubectlOf(stack);
    await kubectl("create", "secret", "generic", "probe", `--from-literal=password=${TEXT}`);
    return new Secrets(stack, kubectl);
  }

  async delete(): Promise<void> {
    await this.kubectl("delete", "secret", "probe");
  }

  async readText(): Promise<string> {
    const data = await this.kubectl("get", "secret", "probe", "-o", "jsonpath={.data.password}");
    return Buffer.from(data, "base64").toString();
  }

  /** Whether all values begin with the key, and how many contain the text. */
  async stored(key: string): Promise<{ isAllEncrypted: boolean; plain: number | undefined }> {
    const script = `${ETCDCTL}
etcdctl get /registry/secrets/ --prefix --keys-only | grep -c . || true
etcdctl get /registry/secrets/ --prefix --print-value-only | grep -ac '^k8s:enc:${key}:' || true
etcdctl get /registry/secrets/ --prefix | grep -ac '${TEXT}' || true`;
    const [all, encrypted, plain] = (await this.stack.on(CONTROL_PLANE, script)).trim().split("\n").map(Number);
    return { isAllEncrypted: all === encrypted, plain };
  }

  async expectEncrypted(key: string): Promise<void> {
    expect(await this.stored(key)).toEqual({ isAllEncrypted: true, plain: 0 });
    expect(await this.readText()).toBe(TEXT);
  }

  async expectPlain(): Promise<void> {
    expect(await this.stored("secretbox:v1:key1")).toMatchObject({ isAllEncrypted: false, plain: 1 });
    expect(await this.readText()).toBe(TEXT);
  }
}

/** Keys in the file of the control plane. */
async function readKeys(stack: TestStack): Promise<string[]> {
  const text = await stack.on(CONTROL_PLANE, `cat ${ENCRYPTION_FILE}`);
  return [...text.matchAll(/secret: "?([^\s"]+)/g)].flatMap(([, key = ""]) => key);
}

/** Files below a folder that contain one of the texts. */
async function filesWith(texts: readonly string[], folder: string): Promise<string> {
  return await output("grep", ["-rlF", ...texts.flatMap((text) => ["-e", text]), folder]).catch(() => "");
}

describe("a cluster that an earlier version has created", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "kubewright-before-")), "kubewright");
  const git = (...args: string[]) => output("git", args, { cwd: projectRoot() });
  let stack: TestStack;
  let secrets: Secrets;
  const up = async (...args: string[]) => {
    const { code, text } = await stack.up(...args);
    expect(code, text).toBe(0);
    return text;
  };
  const setEncryption = (property: string) => up("--config", `security.encryption.${property}`);

  beforeAll(async () => {
    await git("worktree", "add", "--quiet", "--detach", folder, BEFORE);
    symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
    stack = new TestStack("e2e-encryption", {}, undefined, folder);
    await up("--config", "workers.count=1");
    secrets = await Secrets.create(stack);
    const now = (await git("rev-parse", "HEAD")).trim();
    await output("git", ["checkout", "--quiet", "--detach", now], { cwd: folder });
  });

  afterAll(async () => {
    await stack?.down("--force");
    await git("worktree", "remove", "--force", folder).catch(() => undefined);
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  test("keeps its Secrets as they are with this version", async () => {
    expect(await up()).not.toMatch(/encryption-keys|security\.encryption/);
    expect(readFileSync(stack.configFile, "utf8")).not.toContain("encryption:");
    await secrets.expectPlain();
  });

  test("gets encryption while it runs, and what is stored is encrypted", async () => {
    await setEncryption("provider=secretbox");
    await secrets.expectEncrypted("secretbox:v1:key1");
    expect(await stack.on(CONTROL_PLANE, `stat -c %a ${ENCRYPTION_FILE}`)).toBe("600");
  });

  test("gets a new key without a restart of the API server", async () => {
    const started = () => stack.on(CONTROL_PLANE, "pgrep -xo kube-apiserver");
    const before = await started();
    await setEncryption("keyGeneration=2");
    await secrets.expectEncrypted("secretbox:v1:key2");
    expect(await started()).toBe(before);
  });

  test("changes nothing at the next run, and no state and no log has its keys in plain text", async () => {
    expect(await up("--refresh")).toContain("Nothing to change");
    const keys = await readKeys(stack);
    expect(keys).toHaveLength(2);
    expect(await filesWith(keys, stack.stateFolder)).toBe("");
    if (existsSync(stack.stackFolder)) expect(await filesWith(keys, stack.stackFolder)).toBe("");
    const logs = await stack.on(CONTROL_PLANE, `grep -rlF -e ${keys.join(" -e ")} /var/log || true`);
    expect(logs.trim()).toBe("");
  });

  test("refuses `off` while Secrets are encrypted", async () => {
    const { code, text } = await stack.up("--config", "security.encryption.provider=off");
    expect(code, text).toBe(1);
    expect(text).toContain("set identity, which stores them as plain text again");
    expect(await secrets.readText()).toBe(TEXT);
  });

  test("stores plain text again with `identity`", async () => {
    await setEncryption("provider=identity");
    await secrets.expectPlain();
  });
});

describe("a new cluster", () => {
  const repository = mkdtempSync(join(tmpdir(), "kubewright-backups-"));
  let stack: TestStack;
  let secrets: Secrets;

  beforeAll(async () => {
    stack = new TestStack("e2e-encrypted", { RESTIC_CACHE_DIR: repository });
    const settings = { "workers.count": "1", "backup.repository": join(repository, "r"), "backup.password": "pass" };
    const options = Object.entries(settings).flatMap(([path, value]) => ["--config", `${path}=${value}`]);
    const { code, text } = await stack.up(...options);
    expect(code, text).toBe(0);
    secrets = await Secrets.create(stack);
  });

  afterAll(async () => {
    await stack?.down("--force");
    stack?.removeFiles();
    rmSync(repository, { recursive: true, force: true });
  });

  test("is encrypted from its first Secret on, and its configuration names it", async () => {
    await secrets.expectEncrypted("secretbox:v1:key1");
    expect(readFileSync(stack.configFile, "utf8")).toMatch(/encryption:\s+provider: secretbox/);
    expect((await stack.up()).text).toContain("Nothing to change");
  });

  test("is restored from a backup, which has the key", async () => {
    expect((await stack.npmRun("backup")).code).toBe(0);
    await secrets.delete();
    const { code, text } = await stack.npmRun("restore", "--yes");
    expect(code, text).toBe(0);
    await secrets.expectEncrypted("secretbox:v1:key1");
  });
});
