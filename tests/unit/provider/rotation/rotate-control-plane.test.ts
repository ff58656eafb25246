import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type * as health from "../../../../provider/host/health";
import { waitUntilServed } from "../../../../provider/kubeadm/served-certificate";
import { createAuthority, createCertificate, createKeyPair, type Identity } from "../../../../provider/pki/x509";
import { leafPath } from "../../../../provider/rotation/issued-certificates";
import { prepareMaterials, type Successions } from "../../../../provider/rotation/materials";
import { AUTHORITIES, AUTHORITY, bundleIn, filesInPhase, type Phase } from "../../../../provider/rotation/phases";
import { authorityOf, rotateControlPlane } from "../../../../provider/rotation/rotate-control-plane";
import type { RotationRecord } from "../../../../provider/rotation/rotation-record";
import { hasSigningFile, SIGNING_CERTIFICATE } from "../../../../provider/kubeadm/signing-file";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { settle, useFakeTime } from "../../../support/fake-time";
import { StaticPodMachine, manifestOf } from "../../../support/static-pod-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", async (original) => ({
  ...(await original<typeof health>()),
  probeHealth: async (machine: StaticPodMachine, endpoint: health.Endpoint) => machine.probe(endpoint),
}));
vi.mock("../../../../provider/kubeadm/served-certificate", () => ({ waitUntilServed: vi.fn() }));
useFakeTime();

const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const CONFIGS = ["admin.conf", "controller-manager.conf", "scheduler.conf"];
const LEAVES = [...CONFIGS, "apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"];
const ETCD_LEAVES = ["etcd-server", "etcd-peer", "etcd-healthcheck-client"];
const CA = AUTHORITY.cluster.certificate;

const authorities = new Map<string, Identity>();
beforeAll(async () => {
  for (const name of ["cluster", "etcd", "front-proxy"] as const)
    authorities.set(name, await createAuthority(AUTHORITY[name].commonName!, 10));
  const { publicKey, privateKey } = await createKeyPair();
  authorities.set("service-account", { certificate: publicKey, key: privateKey });
});

/** A control plane whose kubeadm issues leaves with the CA that is in place. */
class RotatedMachine extends StaticPodMachine {
  kubeadmWorks = true;
  members = "8e9e05c52164694d, started, cp-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n";

  constructor() {
    super();
    for (const component of COMPONENTS)
      this.write(component, `metadata:\n  labels: {}\n${manifestOf(component, flag(component))}`);
    for (const name of AUTHORITIES) {
      this.put(AUTHORITY[name].certificate, authorities.get(name)!.certificate);
      this.put(AUTHORITY[name].key, authorities.get(name)!.key);
    }
    for (const name of CONFIGS) this.put(leafPath(name), "    certificate-authority-data: b2xk\n");
    this.on(/^\[ -s \S+ \] && cat (\S+)$/, (script) => this.text(/cat (\S+)$/.exec(script)?.[1] ?? ""));
    this.on(/place\(\)/, (script) => this.runStage(script));
    this.on(/client-certificate-data: \*\/\/p/, (script) => this.printLeaves(script));
    this.on(/etcdctl member list/, () => `${this.members}--- health ---\nhttps://10.0.0.1:2379 is healthy`);
    this.on(/answer\.sh drain/, () => ({ code: 10 }));
    this.on(/^rm -rf .*ca-signing/, () => (this.files.delete(SIGNING_CERTIFICATE), ""));
  }

  put(path: string, content: string): void {
    this.files.set(path, { content, mode: "0600" });
  }

  text(path: string): string {
    return this.files.get(path)?.content ?? "";
  }

  private runStage(script: string): string {
    for (const line of script.split("\n")) {
      const [, from, to] = /^place (\S+) (\S+)$/.exec(line) ?? [];
      if (from && to) this.place(from, to);
      const [, leaf] = /kubeadm certs renew (\S+) --config/.exec(line) ?? [];
      if (leaf && this.kubeadmWorks) this.renew(leaf);
    }
    const [, list = ""] = /^for file in (.*); do$/m.exec(script) ?? [];
    const data = `    certificate-authority-data: ${Buffer.from(this.text(CA)).toString("base64")}\n`;
    for (const path of list.split(" ").filter((one) => this.files.has(one))) this.put(path, data);
    return "";
  }

  private place(from: string, to: string): void {
    if (!this.files.has(from)) throw new Error(`${from} does not exist`);
    this.put(to, this.text(from));
  }

  private renew(leaf: string): void {
    const { certificate, key } = AUTHORITY[authorityOf(leaf)];
    const [first = ""] = /-----BEGIN[^]*?-----END CERTIFICATE-----\n/.exec(this.text(certificate)) ?? [];
    this.issued.set(leaf, { certificate: first, key: this.text(key) });
  }

  readonly issued = new Map<string, Identity>();
  readonly printed = new Map<string, { leaf: string; authority: string }>();

  private printLeaves(script: string): string {
    const names = [...this.issued.keys()].filter((name) => script.includes(leafPath(name)));
    return names.map((name) => `file ${leafPath(name)}\n${this.printed.get(name)?.leaf ?? ""}`).join("");
  }

  /** Issues what kubeadm was asked for, which takes a promise. */
  override async read(...parameters: Parameters<StaticPodMachine["read"]>) {
    if (parameters[0].includes("client-certificate-data: *//p"))
      for (const [name, authority] of this.issued) {
        if (this.printed.get(name)?.authority === authority.certificate) continue;
        const leaf = await createCertificate(authority, { commonName: name, usages: ["client"], days: 1 });
        this.printed.set(name, { leaf: leaf.certificate, authority: authority.certificate });
      }
    return await super.read(...parameters);
  }
}

function flag(component: string): string {
  return component === "kube-controller-manager" ? `--cluster-signing-cert-file=${CA}` : "--v=1";
}

let machine: RotatedMachine;
let successions: Successions;
const signal = new AbortController().signal;
beforeEach(async () => {
  vi.mocked(waitUntilServed).mockReset();
  machine = new RotatedMachine();
  const remote = machine.context().connections.get(machine.connection);
  successions = await prepareMaterials([remote], AUTHORITIES, signal);
});

const record = (phase: Phase): RotationRecord => ({ id: "r1", authorities: [...AUTHORITIES], phase, isDone: false });

async function rotate(phase: Phase): Promise<void> {
  const context = machine.context({ settings: { ...DEFAULT_SETTINGS, healthySeconds: 30 } });
  Object.assign(context, { kube: { forget: () => undefined } });
  const remote = context.connections.get(machine.connection);
  await settle(rotateControlPlane(context, remote, { record: record(phase), successions, node: "cp-1" }));
}

/** Components whose pods were replaced since the first start, in order. */
const restarted = () => machine.history.slice(COMPONENTS.length).map((one) => one.slice(0, one.indexOf(":")));
const bundle = (phase: Phase, name: (typeof AUTHORITIES)[number]) => bundleIn(phase, successions.get(name)!);
const answers = () => machine.scripts.flatMap((script) => /answer\.sh (drain|ready)/.exec(script)?.[1] ?? []);

describe("the phases on one control plane", () => {
  test("trust: both CAs everywhere, a signing certificate of its own first, and the keys stay", async () => {
    await rotate("trust");
    for (const name of AUTHORITIES) {
      expect(machine.text(AUTHORITY[name].certificate)).toBe(bundle("trust", name));
      expect(machine.text(AUTHORITY[name].key)).toBe(authorities.get(name)!.key);
    }
    expect(machine.text(SIGNING_CERTIFICATE)).toBe(authorities.get("cluster")!.certificate);
    expect(hasSigningFile(machine.manifest("kube-controller-manager"))).toBe(true);
    expect(restarted()).toEqual(["kube-controller-manager", ...COMPONENTS]);
    expect(machine.issued.size).toBe(0);
    expect(answers()).toEqual(["drain", "ready"]);
  });

  test("reissue: the new CA comes first and issues every leaf; etcd does not restart", async () => {
    await rotate("trust");
    const before = machine.history.length;
    await rotate("reissue");
    for (const name of AUTHORITIES) {
      expect(machine.text(AUTHORITY[name].certificate)).toBe(bundle("reissue", name));
      expect(machine.text(AUTHORITY[name].key)).not.toBe(authorities.get(name)!.key);
    }
    expect(machine.text(SIGNING_CERTIFICATE)).toBe(successions.get("cluster")!.next);
    expect([...machine.issued.keys()].sort()).toEqual([...LEAVES, ...ETCD_LEAVES, "super-admin.conf"].sort());
    for (const [name, { certificate }] of machine.issued)
      expect(certificate).toBe(successions.get(authorityOf(name))!.next);
    expect(machine.history.slice(before).map((one) => one.slice(0, one.indexOf(":")))).toEqual(COMPONENTS.slice(1));
    const served = vi.mocked(waitUntilServed).mock.calls.map(([, , { server }]) => server);
    expect(served).toEqual(["etcd", "the API server"]);
    const kept = machine.scripts.filter((script) => script.includes("previous/complete")).join("\n");
    for (const path of [...filesInPhase("reissue", AUTHORITIES), SIGNING_CERTIFICATE]) expect(kept).toContain(path);
    const data = Buffer.from(bundle("reissue", "cluster")).toString("base64");
    for (const name of CONFIGS) expect(machine.text(leafPath(name))).toContain(data);
  });

  test("drop: only the new CA is left, with which the controller manager signs again", async () => {
    for (const phase of ["trust", "reissue", "drop"] as const) await rotate(phase);
    for (const name of AUTHORITIES) expect(machine.text(AUTHORITY[name].certificate)).toBe(successions.get(name)!.next);
    expect(hasSigningFile(machine.manifest("kube-controller-manager"))).toBe(false);
    expect(machine.files.has(SIGNING_CERTIFICATE)).toBe(false);
    expect(new X509Certificate(machine.text(CA)).verify(new X509Certificate(machine.text(CA)).publicKey)).toBe(true);
  });

  test("a phase that was proved is skipped by the next run", async () => {
    await rotate("trust");
    const before = machine.scripts.length;
    await rotate("trust");
    expect(machine.scripts.slice(before).some((script) => script.includes("place()"))).toBe(false);
  });
});

describe("a phase that fails", () => {
  test("puts the files back, and the control plane into the balancers", async () => {
    machine.broken = /certificates-renewed[^]*kube-scheduler/;
    await expect(rotate("trust")).rejects.toThrow(/previous files were restored, and .* healthy again/);
    expect(machine.text(CA)).toBe(authorities.get("cluster")!.certificate);
    expect(machine.text(AUTHORITY.etcd.certificate)).toBe(authorities.get("etcd")!.certificate);
    expect(answers()).toEqual(["drain", "ready"]);
    machine.broken = /no-such-flag/;
    await rotate("trust");
    expect(machine.text(CA)).toBe(bundle("trust", "cluster"));
  });

  test("leaves of the previous CA are found before the component after them restarts", async () => {
    await rotate("trust");
    await rotate("reissue");
    const issued = machine.issued.get("etcd-server")!;
    machine.kubeadmWorks = false;
    machine.issued.set("etcd-server", authorities.get("etcd")!);
    expect(issued.certificate).toBe(successions.get("etcd")!.next);
    machine.files.delete("/var/lib/kubewright/ca-rotation/proved-control-plane");
    const before = machine.history.length;
    await expect(rotate("reissue")).rejects.toThrow("etcd-server: not issued by the new CA");
    expect(machine.history.length).toBe(before);
  });
});

test("a run that continues uses the new CAs that the killed one has created", async () => {
  const remote = machine.context().connections.get(machine.connection);
  expect(await prepareMaterials([remote], AUTHORITIES, signal)).toEqual(successions);
});
