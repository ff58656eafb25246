import "reflect-metadata";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type * as health from "../../../../provider/host/health";
import { dueCertificates, nextRenewal, renewDueCertificates } from "../../../../provider/kubeadm/renew-certificates";
import { readCertificates } from "../../../../provider/kubeadm/certificates";
import { waitUntilServed } from "../../../../provider/kubeadm/served-certificate";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
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

const DAY_S = 86_400;
const PKI = "/etc/kubernetes/pki";
const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const LEAVES = ["apiserver", "apiserver-etcd-client", "etcd/server", "etcd/peer"].map((name) => `${PKI}/${name}.crt`);
const KUBECONFIGS = ["admin", "controller-manager", "scheduler"].map((name) => `/etc/kubernetes/${name}.conf`);

let ca: string;
let [old, renewed] = ["", ""];
beforeAll(async () => {
  const authority = await createAuthority("kubernetes", 3650);
  const issue = async (days: number) =>
    (await createCertificate(authority, { commonName: "a", usages: ["client"], days })).certificate;
  ca = authority.certificate;
  [old, renewed] = [await issue(20), await issue(365)];
});

const kubeconfig = (pem: string) => `    client-certificate-data: ${Buffer.from(pem).toString("base64")}\n`;
const contentOf = (path: string, pem: string) => (path.endsWith(".conf") ? kubeconfig(pem) : pem);

/** A control plane whose kubeadm renews certificates. Its clock is `days` ahead. */
class CertificateMachine extends StaticPodMachine {
  days = 15;
  kubeadmWorks = true;
  readonly renewals: string[] = [];

  constructor() {
    super();
    for (const component of COMPONENTS) this.write(component, `metadata:\n  labels: {}\n${manifestOf(component)}`);
    for (const path of [...LEAVES, ...KUBECONFIGS]) this.put(path, old);
    this.put(`${PKI}/ca.crt`, ca);
    this.on(/date \+%s/, () => this.printCertificates());
    this.on(/kubeadm certs renew/, (script) => this.renew(script));
    this.on(/answer\.sh drain/, () => ({ code: 10 }));
  }

  put(path: string, pem: string): void {
    this.files.set(path, { content: contentOf(path, pem), mode: "0600" });
  }

  isRenewed(path: string): boolean {
    return this.files.get(path)?.content === contentOf(path, renewed);
  }

  private printCertificates(): string {
    const paths = [...LEAVES, ...KUBECONFIGS, `${PKI}/ca.crt`].filter((path) => this.files.has(path));
    const texts = paths.map((path) => {
      const content = this.files.get(path)?.content ?? "";
      return `file ${path}\n${content.replace(/^ *client-certificate-data: */, "data ")}`;
    });
    return `now ${Math.floor(Date.now() / 1000) + this.days * DAY_S}\n${texts.join("")}`;
  }

  private renew(script: string): string {
    for (const [, name = ""] of script.matchAll(/kubeadm certs renew (\S+) --config/g)) {
      this.renewals.push(name);
      const path = name.endsWith(".conf") ? `/etc/kubernetes/${name}` : `${PKI}/${name.replace("etcd-", "etcd/")}.crt`;
      const target = name.startsWith("apiserver") ? `${PKI}/${name}.crt` : path;
      if (this.kubeadmWorks) this.put(target, renewed);
    }
    for (const [, from = "", to = ""] of script.matchAll(/^mv -fT (\S+) (\S+)$/gm)) {
      const content = this.files.get(from)?.content ?? "";
      this.files.set(to, { content, mode: "0600" });
    }
    return "";
  }
}

let machine: CertificateMachine;
beforeEach(() => {
  machine = new CertificateMachine();
  vi.mocked(waitUntilServed).mockReset();
});

async function renew(forget = () => undefined): Promise<boolean> {
  const context = machine.context({ settings: { ...DEFAULT_SETTINGS, healthySeconds: 30 } });
  Object.assign(context, { kube: { forget } });
  const remote = context.connections.get(machine.connection);
  return await settle(renewDueCertificates(context, remote, { node: "cp-1", documents: [] }));
}

/** Components whose pods were replaced, in order. */
const restarted = () => machine.history.slice(COMPONENTS.length).map((one) => one.slice(0, one.indexOf(":")));

/** What the control plane answers to the API balancers. */
const answers = () => machine.scripts.flatMap((script) => /answer\.sh (drain|ready)/.exec(script)?.[1] ?? []);

test("certificates that do not end soon stay as they are", async () => {
  machine.days = 10;
  expect(await renew()).toBe(false);
  expect(machine.renewals).toEqual([]);
});

test("all leaves are renewed component by component; etcd goes on, the others restart with them", async () => {
  const forget = vi.fn();
  expect(await renew(forget)).toBe(true);
  expect(machine.renewals).toEqual([
    ...["etcd-server", "etcd-peer"],
    ...["apiserver", "apiserver-etcd-client"],
    ...["controller-manager.conf", "scheduler.conf", "admin.conf"],
  ]);
  expect(restarted()).toEqual(["kube-apiserver", "kube-controller-manager", "kube-scheduler"]);
  expect([...LEAVES, ...KUBECONFIGS].every((path) => machine.isRenewed(path))).toBe(true);
  expect(vi.mocked(waitUntilServed).mock.calls.map(([, , { port }]) => port)).toEqual([2379, 6443]);
  expect(machine.keptFiles).toEqual([]);
  expect(forget).toHaveBeenCalled();
  expect(answers()).toEqual(["drain", "ready"]);
});

test("only those that end soon are renewed, and only their component restarts", async () => {
  for (const path of [...LEAVES, ...KUBECONFIGS]) if (!path.endsWith("scheduler.conf")) machine.put(path, renewed);
  expect(await renew()).toBe(true);
  expect(machine.renewals).toEqual(["scheduler.conf"]);
  expect(restarted()).toEqual(["kube-scheduler"]);
  expect(answers()).toEqual([]);
});

test("an API server that does not become healthy gets its previous certificates and manifest back", async () => {
  machine.broken = /certificates-renewed/;
  await expect(renew()).rejects.toThrow(
    /starting kube-apiserver failed.*kube-apiserver is healthy again; see `kubeadm certs check-expiration`/s,
  );
  expect(LEAVES.some((path) => machine.isRenewed(path))).toBe(false);
  expect(machine.manifest("kube-apiserver")).not.toContain("certificates-renewed");
  expect(machine.renewals).not.toContain("scheduler.conf");
});

test("an etcd that does not serve its new certificate gets the previous ones back", async () => {
  vi.mocked(waitUntilServed).mockRejectedValue(new Error("etcd still serves the previous certificate"));
  await expect(renew()).rejects.toThrow("etcd still serves the previous certificate");
  expect(machine.isRenewed(`${PKI}/etcd/server.crt`)).toBe(false);
  expect(machine.renewals).toEqual(["etcd-server", "etcd-peer"]);
});

test("a kubeadm that renews nothing is noticed", async () => {
  machine.kubeadmWorks = false;
  await expect(renew()).rejects.toThrow("kubeadm did not renew them: certificates etcd/server and etcd/peer end");
});

describe("the certificates of a control plane", () => {
  const read = async () => {
    const context = machine.context();
    return await readCertificates(context.connections.get(machine.connection), context.signal);
  };

  test("are due in the last third of a short lifetime; a CA never is", async () => {
    expect(dueCertificates(await read()).map(({ name }) => name)).toContain("etcd/peer");
    machine.days = 13;
    expect(dueCertificates(await read())).toEqual([]);
    machine.days = 3650;
    expect(dueCertificates(await read()).map(({ name }) => name)).not.toContain("ca");
  });

  test("have a time for the next renewal, which the state records", async () => {
    const days = (Date.parse(nextRenewal(await read()) ?? "") - Date.now()) / 1000 / DAY_S;
    expect(days).toBeCloseTo((20 * 2) / 3, 1);
    expect(nextRenewal([])).toBeUndefined();
  });
});
