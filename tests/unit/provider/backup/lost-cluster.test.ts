import "reflect-metadata";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Inputs } from "../../../../contracts/contract";
import type { kubeadmInitContract } from "../../../../contracts/kubeadm/init";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { kubeadmInitResource } from "../../../../provider/resources/kubeadm-init";
import type { Connections } from "../../../../provider/ssh/connections";
import { ConnectionError } from "../../../../provider/ssh/errors";
import type { Remote, RunOptions } from "../../../../provider/ssh/remote";
import { sha256Of } from "../../../../artifacts/hash";
import { ENCRYPTION_FILE } from "../../../../render/encryption";
import { connectionTo } from "../../../support/connection";
import { BACKUP_KEY, writeFakeRestic, type FakeBackup } from "../../../support/fake-restic";
import { MemoryMachine } from "../../../support/memory-machine";
import { proofApi } from "../../../support/proof-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

type InitInputs = Inputs<typeof kubeadmInitContract>;

const ID = "65c64ecf";
const RECORD = "/var/lib/kubewright/backup/restore-from.json";
const KEY = "/etc/kubernetes/pki/ca.key";
const POLICY = "/etc/kubernetes/audit/policy.yaml";

/** A machine without a cluster, on which a backup and `kubeadm init` arrive. */
class NewMachine extends MemoryMachine {
  readonly configs: string[] = [];
  patience = 1;
  hasData = false;
  isInitialized = false;
  /** Matches the script that fails. */
  fails: RegExp | undefined;

  constructor() {
    super();
    this.on(/init\.done \] && \[ -e/, () => (this.isInitialized ? "done" : "none"));
    this.on(/member \] \|\| echo exists/, () => (this.hasData ? "exists" : ""));
    this.on(/etcdutl version/, () => "3.6.8");
  }

  override async run(script: string, options: RunOptions) {
    if (this.fails?.test(script)) throw new Error("it failed");
    if (/^rm -rf/.test(script)) this.removeFiles(script);
    if (script.includes("snapshot restore")) this.hasData = true;
    if (!script.includes("kubeadm init --config")) return await super.run(script, options);
    this.scripts.push(script);
    this.configs.push(String(options.stdin));
    this.isInitialized = true;
    return { code: 0, stdout: "", stderr: "" };
  }

  get restored(): string[] {
    return this.scripts.filter((script) => script.includes("snapshot restore"));
  }

  private removeFiles(script: string): void {
    this.hasData = false;
    for (const path of this.files.keys()) if (script.split(" ").includes(path)) this.files.delete(path);
  }
}

let ca: Identity;
let stranger: Identity;
let kubelet: string;
beforeAll(async () => {
  [ca, stranger] = await Promise.all([createAuthority("kubernetes", 10), createAuthority("kubernetes", 10)]);
  const subject = { commonName: "system:node:cp-2", organizations: ["system:nodes"] };
  kubelet = (await createCertificate(ca, { ...subject, usages: ["client"], days: 1 })).certificate;
});

let folder: string;
let machine: NewMachine;
let other: MemoryMachine;
let deleted: string[];
let isUndone: boolean;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-lost-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", join(folder, "cache"));
  writeFileSync(join(folder, "etcdutl"), "etcdutl");
  [machine, other, deleted, isUndone] = [new NewMachine(), new MemoryMachine(), [], false];
  backup();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function backup(parts: Partial<FakeBackup> = {}): void {
  const programs = writeFakeRestic(folder, ID, { ca: ca.certificate, ...parts });
  vi.stubEnv("PATH", `${programs}:${process.env.PATH}`);
}

function context(parts: { abandoned?: boolean; authority?: string } = {}) {
  let count = 0;
  const { api } = proofApi({
    listNode: () => ({ items: ["cp-1", "cp-2", "cp-3"].map((name) => ({ metadata: { name } })) }),
    deleteNode: ({ name = "" }) => void deleted.push(name),
    deleteNamespacedSecret: () => ({}),
  });
  const objects = { read: async () => ({ spec: { renewTime: String(++count) } }) };
  const base = machine.context({ undo: () => void (isUndone = true) });
  const get = ({ host }: { host: string }) => (host === "10.0.0.2" ? other : machine) as unknown as Remote;
  Object.assign(base, { connections: { get } as unknown as Connections });
  base.kube.api = async () => Object.assign(api, { caCertificate: parts.authority ?? ca.certificate, objects });
  base.kube.readText = async () => "ok";
  base.kube.forget = () => undefined;
  if (parts.abandoned) base.unreachable.isAbandoned = () => true;
  return base;
}

async function inputs(parts: Partial<InitInputs> = {}, others: readonly string[] = []): Promise<InitInputs> {
  const etcdutl = { path: join(folder, "etcdutl"), sha256: await sha256Of(join(folder, "etcdutl")), size: 7 };
  const networking = { podSubnet: "10.244.0.0/16", serviceSubnet: "10.10.0.0/16", dnsDomain: "cluster.local" };
  return {
    ...machine.target,
    documents: [
      {
        ...{ apiVersion: "kubeadm.k8s.io/v1beta4", kind: "InitConfiguration", nodeRegistration: { name: "cp-1" } },
        localAPIEndpoint: { advertiseAddress: "10.0.0.1", bindPort: 6443 },
      },
      { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration", kubernetesVersion: "v1.36.3", networking },
    ] as unknown as InitInputs["documents"],
    timeout: 120,
    restoreFrom: {
      ...{ backup: "latest", stack: "dev", etcdutl },
      repository: { repository: join(folder, "repository"), password: "the password" },
      others: others.map((host) => connectionTo({ host })),
    },
    ...parts,
  };
}

const create = async (all?: InitInputs) => await kubeadmInitResource.create(context(), all ?? (await inputs()));
const hash = () => caCertHash(ca.certificate);

describe("a lost cluster", () => {
  test("gets the keys and etcd's data of the backup before kubeadm init, and is proved afterwards", async () => {
    const { outputs } = await create();
    expect(outputs).toEqual({ caCertHash: hash(), restoredFrom: ID });
    expect(machine.files.get(KEY)).toEqual({ content: "the key of the CA", mode: "0600" });
    expect(machine.files.get(ENCRYPTION_FILE)?.content).toContain(BACKUP_KEY.secret);
    expect(machine.files.get(POLICY)?.content).toBe("the policy of the backup");
    expect(machine.restored[0]).toMatch(/--name cp-1 [^]*--initial-cluster cp-1=https:\/\/10.0.0.1:2380 /);
    expect(machine.configs.join()).toMatch(/DirAvailable--var-lib-etcd[^]*- "?upload-config\/kubeadm"?\s+- "?addon/);
    expect(machine.files.has(RECORD)).toBe(false);
  });

  test("loses the nodes of its other control planes, which join again", async () => {
    await create(await inputs({}, ["10.0.0.2"]));
    expect(deleted).toEqual(["cp-2", "cp-3"]);
  });

  test("leaves no key of the backup on this computer", async () => {
    await create();
    expect(readdirSync(join(folder, "cache", "restore"))).toEqual([]);
  });

  test("keeps its resource, so that the memberships of living workers stay", async () => {
    const { restoreFrom, ...recorded } = await inputs();
    const { instance: _, ...withUnknown } = recorded;
    const { settings } = context();
    const isProtected = (now: Partial<InitInputs>, more: object = {}) =>
      kubeadmInitResource.isProtected!(now, recorded, { ...context(), settings: { ...settings, ...more } });
    expect(isProtected({ ...recorded, restoreFrom, instance: "b2" })).toBe(true);
    expect(isProtected(withUnknown, { restoreFrom: "latest" })).toBe(true);
  });
});

describe("a cluster that exists", () => {
  test("does not change, whatever backup the configuration names", async () => {
    machine.isInitialized = true;
    expect((await create()).outputs).toEqual({ caCertHash: hash() });
    expect(machine.restored).toEqual([]);
  });

  test("is not restored while another control plane has it", async () => {
    other.on(/kubelet-client-current\.pem/, () => `${kubelet}\n--- CA ---\n${ca.certificate}`);
    await expect(create(await inputs({}, ["10.0.0.2"]))).rejects.toThrow(/worker-1.* still has this cluster/);
    const all = await inputs({ instance: "a1", controlPlanes: ["cp-1", "cp-2", "cp-3"] }, ["10.0.0.2"]);
    const old = { inputs: { ...all, instance: "z9" }, outputs: { caCertHash: hash() } };
    expect(await kubeadmInitResource.update!(context(), "id", all, old)).toEqual({ caCertHash: hash() });
    expect(machine.restored).toEqual([]);
  });

  test("may run on a control plane that does not answer, unless the configuration names it as abandoned", async () => {
    const silent = () => {
      throw new ConnectionError(connectionTo({ host: "10.0.0.2" }), "no route to host", "transient");
    };
    other.run = silent;
    await expect(create(await inputs({}, ["10.0.0.2"]))).rejects.toThrow(/may still run there: no route to host/);
    expect(machine.restored).toEqual([]);
    await kubeadmInitResource.create(context({ abandoned: true }), await inputs({}, ["10.0.0.2"]));
    expect(machine.restored).toHaveLength(1);
  });

  test("is restored on its first control plane once none of them has it", async () => {
    const all = await inputs({ controlPlanes: ["cp-1", "cp-2", "cp-3"] }, ["10.0.0.2"]);
    const old = { inputs: { ...all, instance: "z9" }, outputs: { caCertHash: hash() } };
    expect(await kubeadmInitResource.update!(context(), "id", all, old)).toEqual({
      ...{ caCertHash: hash(), restoredFrom: ID },
    });
  });
});

describe("a backup is refused before anything changes", () => {
  const expectRefused = async (reason: RegExp) => {
    await expect(create()).rejects.toThrow(reason);
    expect(machine.files.size).toBe(0);
    expect(machine.configs).toEqual([]);
  };

  test("that is damaged", async () => {
    backup({ isDamaged: true });
    await expectRefused(/its snapshot is damaged/);
  });

  test("of another minor version of Kubernetes, or with other networks", async () => {
    backup({ kubernetes: "1.35.9", podSubnet: "10.1.0.0/16" });
    await expectRefused(/the backup is from 1\.35\.9: upgrade after the restore; network\.podCidr cannot change/);
  });

  test("of another cluster", async () => {
    backup({ ca: stranger.certificate });
    const all = await inputs();
    const old = { inputs: { ...all, instance: "z9" }, outputs: { caCertHash: hash() } };
    await expect(kubeadmInitResource.update!(context(), "id", all, old)).rejects.toThrow(
      "it is from a cluster with another certificate authority",
    );
    expect(machine.files.size).toBe(0);
  });

  test("where the machine has data of etcd", async () => {
    machine.hasData = true;
    await expectRefused(/\/var\/lib\/etcd has data already; nothing was changed/);
  });
});

describe("a restore that fails", () => {
  test("removes what has arrived", async () => {
    machine.fails = /snapshot restore/;
    await expect(create()).rejects.toThrow("it failed");
    expect(machine.files.has(KEY)).toBe(false);
    expect(machine.files.has(RECORD)).toBe(false);
    expect(isUndone).toBe(true);
  });

  test("is begun again by the next run where its files could not be removed", async () => {
    machine.fails = /snapshot restore|^rm -rf/;
    await expect(create()).rejects.toThrow("it failed");
    expect(isUndone).toBe(false);
    machine.fails = undefined;
    machine.hasData = true;
    expect((await create()).outputs).toEqual({ caCertHash: hash(), restoredFrom: ID });
    const all = await inputs({ restoreFrom: undefined });
    machine.files.set(RECORD, { content: JSON.stringify({ id: ID, time: "t", phase: "placing" }), mode: "0600" });
    await expect(create(all)).rejects.toThrow("its files are incomplete; run `npm start -- --restore-from 65c64ecf`");
  });

  test("during kubeadm init is completed by the next run, without reading the backup again", async () => {
    machine.fails = /kubeadm init --config/;
    await expect(create()).rejects.toThrow("it failed");
    expect(machine.files.get(RECORD)?.content).toContain('"phase":"placed"');
    machine.fails = undefined;
    const { outputs } = await create(await inputs({ restoreFrom: undefined }));
    expect(outputs).toEqual({ caCertHash: hash(), restoredFrom: ID });
    expect(machine.restored).toHaveLength(1);
    expect(machine.files.has(RECORD)).toBe(false);
  });
});

test("a backup from the middle of a rotation of CAs is of the same cluster, and signs with one CA again", async () => {
  backup({ ca: stranger.certificate + ca.certificate });
  const all = await inputs();
  const old = { inputs: { ...all, instance: "z9" }, outputs: { caCertHash: hash() } };
  const outputs = await kubeadmInitResource.update!(context({ authority: stranger.certificate }), "id", all, old);
  expect(machine.files.get("/etc/kubernetes/pki/ca.crt")?.content).toBe(stranger.certificate);
  expect(outputs).toMatchObject({ caCertHash: hash(), restoredFrom: ID });
});
