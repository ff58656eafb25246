import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkCis, cisText, type CisStatus } from "../../../../../cli/nodes/cis/check-cis";
import { flagsOf, readMachineFacts, type MachineFacts } from "../../../../../cli/nodes/cis/facts";
import { CIS_SECTIONS } from "../../../../../cli/nodes/cis/items";
import { projectRoot } from "../../../../../common/project-root";
import { CIPHER_SUITES } from "../../../../../render/tls";
import { MemoryMachine } from "../../../../support/memory-machine";

const pki = "/etc/kubernetes/pki";
const controlPlane: MachineFacts = {
  name: "control-plane-1",
  isControlPlane: true,
  flags: {
    etcd: {
      "cert-file": `${pki}/etcd/server.crt`,
      "key-file": `${pki}/etcd/server.key`,
      "client-cert-auth": "true",
      "peer-cert-file": `${pki}/etcd/peer.crt`,
      "peer-key-file": `${pki}/etcd/peer.key`,
      "peer-client-cert-auth": "true",
      "trusted-ca-file": `${pki}/etcd/ca.crt`,
    },
    "kube-apiserver": {
      "authorization-mode": "Node,RBAC",
      "client-ca-file": `${pki}/ca.crt`,
      "enable-admission-plugins": "NodeRestriction",
      "etcd-cafile": `${pki}/etcd/ca.crt`,
      "etcd-certfile": `${pki}/apiserver-etcd-client.crt`,
      "etcd-keyfile": `${pki}/apiserver-etcd-client.key`,
      "kubelet-client-certificate": `${pki}/apiserver-kubelet-client.crt`,
      "kubelet-client-key": `${pki}/apiserver-kubelet-client.key`,
      profiling: "false",
      "service-account-key-file": `${pki}/sa.pub`,
      "tls-cert-file": `${pki}/apiserver.crt`,
      "tls-private-key-file": `${pki}/apiserver.key`,
      "tls-cipher-suites": CIPHER_SUITES.join(","),
      "tls-min-version": "VersionTLS12",
    },
    "kube-controller-manager": {
      "bind-address": "127.0.0.1",
      profiling: "false",
      "root-ca-file": `${pki}/ca.crt`,
      "service-account-private-key-file": `${pki}/sa.key`,
      "use-service-account-credentials": "true",
    },
    "kube-scheduler": { "bind-address": "127.0.0.1", profiling: "false" },
  },
  files: [
    { path: "/etc/kubernetes/manifests/etcd.yaml", mode: "600", owner: "root:root" },
    { path: "/var/lib/kubelet/config.yaml", mode: "600", owner: "root:root" },
    { path: `${pki}/ca.crt`, mode: "644", owner: "root:root" },
    { path: "/var/lib/etcd/member", mode: "700", owner: "root:root" },
  ],
  kubelet: {
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: `${pki}/ca.crt` } },
    authorization: { mode: "Webhook" },
    rotateCertificates: true,
    makeIPTablesUtilChains: true,
    streamingConnectionIdleTimeout: "4h0m0s",
    tlsCipherSuites: CIPHER_SUITES,
  },
};

/** Returns the status of the item whose text contains the words. */
function statusOf(words: string, ...machines: MachineFacts[]): CisStatus | undefined {
  return checkCis(machines).find(({ item }) => item.includes(words))?.status;
}

/** The control plane with other flags of its API server. */
function withApi(flags: Record<string, string>): MachineFacts {
  const all = { ...controlPlane.flags["kube-apiserver"], ...flags };
  return { ...controlPlane, flags: { ...controlPlane.flags, "kube-apiserver": all } };
}

test("a cluster of kubeadm passes everything that the documentation calls passed", () => {
  const results = checkCis([controlPlane]);
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(12);
});

describe("an item is not passed", () => {
  test.each<[string, string, MachineFacts]>([
    ["whose flag has another value", "`--authorization-mode`", withApi({ "authorization-mode": "AlwaysAllow" })],
    ["whose flag must not be set", "`--token-auth-file`", withApi({ "token-auth-file": "/tokens" })],
    ["with a weak cipher", "strong TLS", withApi({ "tls-cipher-suites": "TLS_RSA_WITH_AES_128_CBC_SHA" })],
    ["with a disabled plugin", "`NodeRestriction`", withApi({ "disable-admission-plugins": "ServiceAccount" })],
    [
      "with a file that others may read",
      "manifests, kubeconfigs",
      { ...controlPlane, files: [{ path: "/etc/kubernetes/admin.conf", mode: "644", owner: "root:root" }] },
    ],
    [
      "with a file of another user",
      "manifests, kubeconfigs",
      { ...controlPlane, files: [{ path: `${pki}/ca.key`, mode: "600", owner: "etcd:etcd" }] },
    ],
    ["of a kubelet that does not answer", "no anonymous requests", { ...controlPlane, kubelet: {} }],
  ])("%s", (_what, words, machine) => {
    expect(statusOf(words, controlPlane)).toBe("passed");
    expect(statusOf(words, controlPlane, machine)).toBe("failed");
  });
});

test("an option passes once it is configured on every control plane", () => {
  const encrypted = { ...withApi({ "encryption-provider-config": "/x" }), encryption: "secretbox" };
  const words = "`--encryption-provider-config`";
  expect(statusOf(words, controlPlane)).toBe("option");
  expect(statusOf(words, encrypted)).toBe("passed");
  expect(statusOf(words, encrypted, controlPlane)).toBe("option");
  expect(statusOf(words, { ...encrypted, encryption: "identity" })).toBe("option");
});

test("what Kubewright does not set is no failure, and has its reason", () => {
  expect(statusOf("`--anonymous-auth=false`", controlPlane)).toBe("open");
  expect(statusOf("Roles, network policies", controlPlane)).toBe("undecided");
  const text = cisText(checkCis([controlPlane]));
  expect(text).toMatch(/not passed +--anonymous-auth=false +control-plane-1: --anonymous-auth is not set/);
  expect(text).toMatch(/by an option +audit log.*security\.audit/);
});

test("what fails is shown with the machine and what it has", () => {
  const text = cisText(checkCis([withApi({ profiling: "true" })]));
  expect(text).toMatch(/FAILED +--profiling=false +control-plane-1: --profiling=true/);
  expect(text).toMatch(/1 failed.*Run `.*--refresh`/);
});

test("the documentation has every item", () => {
  const page = readFileSync(join(projectRoot(), "docs", "hardening.md"), "utf8");
  const missing = CIS_SECTIONS.flatMap(({ items }) => items).filter(
    ({ item, state }) => !page.includes(`| ${item} | ${state} |`),
  );
  expect(missing).toEqual([]);
});

test("a machine's flags, files and encryption are read without its keys", async () => {
  const machine = new MemoryMachine();
  const manifest = "spec: {containers: [{command: [kube-apiserver, --profiling=false, --allow-privileged]}]}";
  machine.files.set("/etc/kubernetes/manifests/kube-apiserver.yaml", { content: manifest, mode: "0600" });
  machine.on(/pki/, () => "600 root:root /etc/kubernetes/admin.conf\nencryption secretbox\n");
  const readKubelet = async () => '{"kubeletconfig":{"rotateCertificates":true}}';
  const signal = new AbortController().signal;
  expect(await readMachineFacts(machine as never, { name: "a", readKubelet, signal })).toMatchObject({
    isControlPlane: true,
    flags: { "kube-apiserver": { profiling: "false", "allow-privileged": "true" } },
    files: [{ path: "/etc/kubernetes/admin.conf", mode: "600", owner: "root:root" }],
    kubelet: { rotateCertificates: true },
    encryption: "secretbox",
  });
});

test("a manifest that is no pod has no flags", () => {
  expect(flagsOf("kind: List")).toEqual({});
});
