import { X509Certificate, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createAuthority, createCertificate, createKeyPair, keysOf } from "../../../../provider/pki/x509";

describe("a certificate", () => {
  test("is signed by its authority, for these names and purposes and no longer than asked", async () => {
    const authority = await createAuthority("kubernetes", 3650);
    const made = await createCertificate(authority, {
      commonName: "system:node:worker-1",
      organizations: ["system:nodes"],
      usages: ["server", "client"],
      dnsNames: ["localhost"],
      ipAddresses: ["10.0.0.9"],
      days: 365,
    });
    const [ca, certificate] = [new X509Certificate(authority.certificate), new X509Certificate(made.certificate)];
    expect([ca.ca, ca.subject, ca.verify(ca.publicKey)]).toEqual([true, "CN=kubernetes", true]);
    expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:worker-1");
    expect(certificate.subjectAltName).toBe("DNS:localhost, IP Address:10.0.0.9");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(364.9);
    expect(days).toBeLessThanOrEqual(365);
  });

  test("of another authority with the same name is not taken for it", async () => {
    const [one, other] = [await createAuthority("etcd-ca", 10), await createAuthority("etcd-ca", 10)];
    const { certificate } = await createCertificate(one, { commonName: "x", usages: ["client"], days: 1 });
    expect(new X509Certificate(certificate).verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
  });
});

describe("keys by kubeadm's names", () => {
  test.each(["RSA-2048", "RSA-3072", "ECDSA-P256"] as const)("a CA with %s signs with it", async (keys) => {
    const authority = await createAuthority("kubernetes", 10, keys);
    const ca = new X509Certificate(authority.certificate);
    expect(keysOf(authority.certificate)).toBe(keys);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
    const leaf = await createCertificate(authority, { commonName: "x", usages: ["client"], days: 1 });
    expect(new X509Certificate(leaf.certificate).verify(ca.publicKey)).toBe(true);
    expect(keysOf(leaf.certificate)).toBe("ECDSA-P256");
  });

  test("a key pair, and another size than those of kubeadm", async () => {
    expect(keysOf((await createKeyPair("RSA-2048")).publicKey)).toBe("RSA-2048");
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    expect(keysOf(publicKey.export({ type: "spki", format: "pem" }).toString())).toBe("ECDSA-P256");
  });
});
