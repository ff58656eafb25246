import "reflect-metadata";
import { beforeAll, expect, test } from "vitest";
import { readCertificateExpiries, warnOfExpiry } from "../../../../provider/kubeadm/certificates";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { ScriptedMachine } from "../../../support/scripted-machine";

const DAY_MS = 86_400_000;
let authority: Identity;
let client: Identity;

beforeAll(async () => {
  authority = await createAuthority("kubernetes", 3650);
  client = await createCertificate(authority, { commonName: "admin", usages: ["client"], days: 20 });
});

const encode = (text: string) => Buffer.from(text).toString("base64");

test("the certificates of files and of kubeconfigs are read", async () => {
  const kubeconfig = `users:\n- user:\n    client-certificate-data: ${encode(client.certificate)}\n`;
  const stdout = [
    `${encode(authority.certificate)} /etc/kubernetes/pki/etcd/ca.crt`,
    `${encode(kubeconfig)} /etc/kubernetes/admin.conf`,
    `${encode("no certificate inside")} /etc/kubernetes/scheduler.conf`,
  ].join("\n");
  const machine = new ScriptedMachine(() => ({ stdout }), "cp-1");
  const expiries = await readCertificateExpiries(machine.remote, new AbortController().signal);
  const days = ({ end }: { end: Date }) => Math.round((end.getTime() - Date.now()) / DAY_MS);
  expect(expiries.map((expiry) => [expiry.machine, expiry.name, days(expiry)])).toEqual([
    ["cp-1", "etcd/ca", 3650],
    ["cp-1", "admin.conf", 20],
  ]);
});

function warningsOf(days: Record<string, number>): string[] {
  const warnings: string[] = [];
  const expiries = Object.entries(days).map(([name, count]) => ({
    machine: "cp-1",
    name,
    end: new Date(Date.now() + count * DAY_MS + 1_000),
  }));
  warnOfExpiry({ warn: (text) => warnings.push(text) }, expiries);
  return warnings;
}

test("certificates that expire within 30 days are reported, the first one first", () => {
  expect(warningsOf({ apiserver: 29, "admin.conf": 3, ca: 31 })).toEqual([
    "cp-1: certificates expire soon, the first in 3 days: admin.conf, apiserver; " +
      "run `kubeadm certs renew all` on this machine and restart its control plane",
  ]);
});

test("later ones are not reported", () => {
  expect(warningsOf({ apiserver: 31 })).toEqual([]);
});
