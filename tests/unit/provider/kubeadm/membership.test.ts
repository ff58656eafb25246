import "reflect-metadata";
import { beforeAll, describe, expect, test } from "vitest";
import { describeMismatch, isOfCluster, readMembership, rejectMismatch } from "../../../../provider/kubeadm/membership";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { ScriptedMachine } from "../../../support/scripted-machine";

const signal = new AbortController().signal;
let ca: Identity;
let client: Identity;

beforeAll(async () => {
  ca = await createAuthority("kubernetes", 10);
  const subject = { commonName: "system:node:worker-1", organizations: ["system:nodes"] };
  client = await createCertificate(ca, { ...subject, usages: ["client"], days: 1 });
});

const read = (stdout: string) => readMembership(new ScriptedMachine(() => ({ stdout })).remote, signal);

test("a membership is read from the kubelet's certificate and the cluster's CA, without keys", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: `${client.certificate}\n--- CA ---\n${ca.certificate}` }));
  expect(await readMembership(machine.remote, signal)).toEqual({
    node: "worker-1",
    caCertHash: caCertHash(ca.certificate),
  });
  expect(machine.scripts[0]).toContain("sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p'");
});

test("a machine without kubelet.conf, certificate or CA is no member", async () => {
  expect(await read("")).toBeUndefined();
  expect(await read(`--- CA ---\n${ca.certificate}`)).toBeUndefined();
  expect(await read(`${client.certificate}\n--- CA ---\n`)).toBeUndefined();
});

describe("a membership", () => {
  const expected = { node: "worker-1", caCertHash: "sha256:1" };
  const machine = new ScriptedMachine(() => ({}), "worker-1 (10.0.0.1)").remote;

  test("matches by the CA and the node name", () => {
    expect(describeMismatch(expected, expected)).toBeUndefined();
    expect(() => rejectMismatch(machine, expected, expected)).not.toThrow();
    expect(() => rejectMismatch(machine, undefined, expected)).not.toThrow();
  });

  test("of another cluster is rejected", () => {
    expect(() => rejectMismatch(machine, { ...expected, caCertHash: "sha256:2" }, expected)).toThrow(
      /kubeadm join failed on worker-1 \(10.0.0.1\): this machine is a member of another cluster, as node worker-1; /,
    );
  });

  test("under another name is rejected", () => {
    expect(() => rejectMismatch(machine, { ...expected, node: "old" }, expected)).toThrow(
      "this machine is a member of this cluster as node old, not worker-1; to rename a node, first remove its host",
    );
  });
});

test("in every phase of a rotation of CAs, a machine is a member of the same cluster", async () => {
  const next = await createAuthority("kubernetes", 10);
  const former = `${caCertHash(ca.certificate)}\n`;
  const outputs = [
    ca.certificate + next.certificate,
    next.certificate + ca.certificate,
    `${next.certificate}\n--- former CAs ---\n${former}`,
  ];
  for (const output of outputs) {
    const membership = await read(`${client.certificate}\n--- CA ---\n${output}`);
    expect(isOfCluster(membership!, caCertHash(ca.certificate))).toBe(true);
    expect(describeMismatch(membership!, { node: "worker-1", caCertHash: caCertHash(ca.certificate) })).toBeUndefined();
    expect(isOfCluster(membership!, "sha256:other")).toBe(false);
  }
});
