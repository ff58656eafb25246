import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { discoverCa, verifyCa } from "../../../../provider/kubelet/discover";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { ControlPlane } from "../../../support/api-endpoint";

describe("the CA of the API server", () => {
  async function certificates(commonName = "kubernetes") {
    const authority = await createAuthority(commonName, 10);
    const leaf = await createCertificate(authority, {
      commonName: "kube-apiserver",
      usages: ["server"],
      dnsNames: ["kubernetes"],
      days: 1,
    });
    return { authority, leaf, chain: [leaf.certificate, authority.certificate].map((pem) => new X509Certificate(pem)) };
  }

  test("is accepted when its hash matches", async () => {
    const { authority, chain } = await certificates();
    expect(caCertHash(verifyCa(chain, caCertHash(authority.certificate), "worker-1"))).toBe(
      caCertHash(authority.certificate),
    );
  });

  test("is rejected when its hash does not match", async () => {
    const [{ chain }, other] = [await certificates(), await certificates()];
    expect(() => verifyCa(chain, caCertHash(other.authority.certificate), "worker-1")).toThrow(
      "hash of the API server's CA does not match",
    );
  });

  test("is rejected when it did not sign the server's certificate", async () => {
    const [one, other] = [await certificates(), await certificates()];
    const mixed = [one.chain[0]!, other.chain[1]!];
    expect(() => verifyCa(mixed, caCertHash(other.authority.certificate), "worker-1")).toThrow(
      "is not signed by the expected CA",
    );
  });

  test("is rejected when the server sends no certificate", () => {
    expect(() => verifyCa([], "sha256:00", "worker-1")).toThrow("sent no certificate");
  });
});

test("the CA is read over the machine's own network", async () => {
  const machine = await ControlPlane.start("worker-1");
  const signal = new AbortController().signal;
  const hash = caCertHash(machine.authority.certificate);
  const ca = await discoverCa(machine.remote, { endpoint: "10.0.0.1:6443", caCertHash: hash, signal });
  expect(caCertHash(ca)).toBe(hash);
  expect(machine.forwarded).toEqual(["10.0.0.1:6443"]);
  machine.stop();
});
