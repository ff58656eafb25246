import "reflect-metadata";
import { beforeAll, describe, expect, test } from "vitest";
import { pemBlocks } from "../../../../provider/pki/pem";
import { AUTHORITIES, bundleIn, filesInPhase, hasNewKey, planStages } from "../../../../provider/rotation/phases";
import { createAuthority, createKeyPair } from "../../../../provider/pki/x509";

let [previous, next] = ["", ""];
beforeAll(async () => {
  [previous, next] = (await Promise.all(
    [1, 2].map(async () => (await createAuthority("kubernetes", 10)).certificate),
  )) as [string, string];
});

describe("what the file of a CA is in a phase", () => {
  test("it trusts both before anything is reissued, and the one that issues comes first", () => {
    expect(bundleIn("trust", { previous, next })).toBe(previous + next);
    expect(bundleIn("reissue", { previous, next })).toBe(next + previous);
    expect(bundleIn("drop", { previous, next })).toBe(next);
    expect([hasNewKey("trust"), hasNewKey("reissue"), hasNewKey("drop")]).toEqual([false, true, true]);
  });

  test("a bundle that a lost rotation has left stays trusted until the previous one is dropped", async () => {
    const lost = (await createAuthority("kubernetes", 10)).certificate;
    expect(pemBlocks(bundleIn("reissue", { previous: previous + lost, next }))).toEqual([next, previous, lost]);
    expect(bundleIn("drop", { previous: previous + lost, next })).toBe(next);
  });

  test("a phase that runs again names no certificate twice", () => {
    expect(bundleIn("trust", { previous: previous + next, next })).toBe(previous + next);
  });

  test("public keys of service accounts are combined in the same way", async () => {
    const [one, other] = [(await createKeyPair()).publicKey, (await createKeyPair()).publicKey];
    expect(pemBlocks(bundleIn("trust", { previous: one, next: other }))).toEqual([one, other]);
  });
});

const ownersOf = (...parameters: Parameters<typeof planStages>) =>
  planStages(...parameters).map(({ component = "administrator" }) => component);
const restartsIn = (...parameters: Parameters<typeof planStages>) =>
  planStages(...parameters).flatMap(({ component, restarts }) => (restarts && component ? [component] : []));

describe("what changes on a control plane in a phase", () => {
  test("all components, in the order in which they depend on one another", () => {
    const order = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "administrator"];
    for (const phase of ["trust", "reissue", "drop"] as const) expect(ownersOf(phase, AUTHORITIES)).toEqual(order);
  });

  test("etcd restarts for its CA, which it reads at its start, and not for its certificates", () => {
    expect(restartsIn("trust", ["etcd"])).toEqual(["etcd", "kube-apiserver"]);
    expect(restartsIn("reissue", ["etcd"])).toEqual(["kube-apiserver"]);
    expect(restartsIn("drop", ["etcd"])).toEqual(["etcd", "kube-apiserver"]);
  });

  test("certificates are issued in one phase only, each after the files of its CA are in place", () => {
    expect(planStages("trust", AUTHORITIES).flatMap(({ renews }) => renews)).toEqual([]);
    expect(planStages("drop", AUTHORITIES).flatMap(({ renews }) => renews)).toEqual([]);
    const stages = planStages("reissue", AUTHORITIES);
    expect(stages.map(({ places }) => places)).toEqual([
      ["etcd"],
      ["cluster", "front-proxy", "service-account"],
      ...[[], [], []],
    ]);
    expect(stages.map(({ renews }) => renews)).toEqual([
      ["etcd-server", "etcd-peer", "etcd-healthcheck-client"],
      ["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"],
      ["controller-manager.conf"],
      ["scheduler.conf"],
      ["admin.conf", "super-admin.conf"],
    ]);
  });

  test("kubeconfigs get the bundle in every phase", () => {
    for (const phase of ["trust", "reissue", "drop"] as const)
      expect(planStages(phase, ["cluster"]).flatMap(({ kubeconfigs }) => kubeconfigs)).toEqual([
        ...["controller-manager.conf", "scheduler.conf", "admin.conf", "super-admin.conf"],
      ]);
    expect(planStages("trust", ["etcd"]).flatMap(({ kubeconfigs }) => kubeconfigs)).toEqual([]);
  });

  test("the controller manager restarts for the service accounts' key once it signs with the new one", () => {
    expect(restartsIn("trust", ["service-account"])).toEqual(["kube-apiserver"]);
    expect(restartsIn("reissue", ["service-account"])).toEqual(["kube-apiserver", "kube-controller-manager"]);
    expect(restartsIn("drop", ["service-account"])).toEqual(["kube-apiserver"]);
  });

  test("the front proxy's CA leaves etcd, controllers and kubeconfigs as they are", () => {
    expect(ownersOf("reissue", ["front-proxy"])).toEqual(["kube-apiserver"]);
  });

  test("every file that a phase replaces can be put back", () => {
    expect(filesInPhase("reissue", ["etcd"])).toEqual([
      ...["/etc/kubernetes/pki/etcd/ca.crt", "/etc/kubernetes/pki/etcd/ca.key"],
      ...["/etc/kubernetes/pki/etcd/server.crt", "/etc/kubernetes/pki/etcd/server.key"],
      ...["/etc/kubernetes/pki/etcd/peer.crt", "/etc/kubernetes/pki/etcd/peer.key"],
      ...["/etc/kubernetes/pki/etcd/healthcheck-client.crt", "/etc/kubernetes/pki/etcd/healthcheck-client.key"],
      ...["/etc/kubernetes/pki/apiserver-etcd-client.crt", "/etc/kubernetes/pki/apiserver-etcd-client.key"],
    ]);
    expect(filesInPhase("trust", ["cluster"])).toEqual([
      ...["/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca.key"],
      ...["controller-manager", "scheduler", "admin", "super-admin"].map((name) => `/etc/kubernetes/${name}.conf`),
    ]);
  });
});
