import "reflect-metadata";
import { X509Certificate, webcrypto } from "node:crypto";
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from "@peculiar/x509";
import { describe, expect, test, vi } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { verifyCa } from "../../../../provider/kubelet/discover";
import { isExpectedRequest } from "../../../../provider/kubelet/signing";
import { newAuthority, newCertificate } from "../../../../provider/pki/x509";
import { certificateResource } from "../../../../provider/resources/certificate";
import { createProviderContext } from "../../../../provider/context";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const expected = { node: "worker-1", token: "abcdef.0123456789abcdef" };

async function request(
  name: string,
  changes: { username?: string; signerName?: string; usages?: string[]; server?: boolean; damage?: boolean } = {},
) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const extensions = changes.server
    ? [new SubjectAlternativeNameExtension([{ type: "dns", value: "example.com" }])]
    : [];
  const csr = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: ALGORITHM, extensions });
  const raw = Buffer.from(csr.rawData);
  if (changes.damage) raw[raw.length - 1] = (raw[raw.length - 1] ?? 0) ^ 1;
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${raw.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  return {
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: changes.signerName ?? "kubernetes.io/kube-apiserver-client-kubelet",
      username: changes.username ?? "system:bootstrap:abcdef",
      usages: changes.usages ?? ["digital signature", "client auth"],
    },
  };
}

describe("a signing request", () => {
  const mine = "O=system:nodes, CN=system:node:worker-1";

  test("of this node's kubelet with its own token is signed", async () => {
    expect(await isExpectedRequest(await request(mine), expected)).toBe(true);
  });

  test.each<[string, string, Parameters<typeof request>[1]]>([
    ["of another node", "O=system:nodes, CN=system:node:worker-2", {}],
    ["for another group", "O=system:masters, CN=system:node:worker-1", {}],
    ["for one group more", "O=system:nodes, O=system:masters, CN=system:node:worker-1", {}],
    ["by another token", mine, { username: "system:bootstrap:fedcba" }],
    ["by a node", mine, { username: "system:node:worker-1" }],
    ["for another signer", mine, { signerName: "kubernetes.io/kube-apiserver-client" }],
    ["to be a server", mine, { usages: ["server auth"] }],
    ["with names of its own", mine, { server: true }],
    ["with a signature that does not fit", mine, { damage: true }],
  ])("%s is left alone", async (_, name, changes) => {
    expect(await isExpectedRequest(await request(name, changes), expected)).toBe(false);
  });
});

describe("the CA that a joining machine is shown", () => {
  async function chain(commonName = "kubernetes") {
    const authority = await newAuthority(commonName, 10);
    const leaf = await newCertificate(authority, {
      commonName: "kube-apiserver",
      usages: ["server"],
      dnsNames: ["kubernetes"],
      days: 1,
    });
    return { authority, leaf, shown: [leaf.certificate, authority.certificate].map((pem) => new X509Certificate(pem)) };
  }

  test("is taken when its key has the expected hash", async () => {
    const { authority, shown } = await chain();
    expect(caCertHash(verifyCa(shown, caCertHash(authority.certificate), "worker-1"))).toBe(
      caCertHash(authority.certificate),
    );
  });

  test("is refused when it is another one's", async () => {
    const [{ shown }, other] = [await chain(), await chain()];
    expect(() => verifyCa(shown, caCertHash(other.authority.certificate), "worker-1")).toThrow(
      "not the one that was expected",
    );
  });

  test("is refused when it did not sign who answers", async () => {
    const [one, other] = [await chain(), await chain()];
    const mixed = [one.shown[0]!, other.shown[1]!];
    expect(() => verifyCa(mixed, caCertHash(other.authority.certificate), "worker-1")).toThrow("is not one of that CA");
  });

  test("is refused when there is none", () => {
    expect(() => verifyCa([], "sha256:00", "worker-1")).toThrow("shows no certificate");
  });
});

describe("a certificate", () => {
  test("is changed in its last 30 days, and not before", async () => {
    const authority = await newAuthority("kubernetes", 3650);
    const inputs = {
      authorityCertificate: authority.certificate,
      authorityKey: authority.key,
      commonName: "x",
      organizations: [],
      usages: ["client"],
      dnsNames: [],
      ipAddresses: [],
      lifetimeDays: 365,
    };
    const { outputs } = await certificateResource.create({ name: "x" } as never, inputs);
    const changesAfter = async (days: number) => {
      vi.setSystemTime(Date.now() + days * 86_400_000);
      try {
        return await certificateResource.extraChanges?.(inputs, { inputs, outputs }, createProviderContext());
      } finally {
        vi.useRealTimers();
      }
    };
    expect(await changesAfter(330)).toEqual([]);
    expect(await changesAfter(336)).toEqual(["lifetimeDays"]);
  });
});
