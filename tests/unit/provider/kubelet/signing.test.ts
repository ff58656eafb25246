import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from "@peculiar/x509";
import { describe, expect, test } from "vitest";
import { isExpectedRequest } from "../../../../provider/kubelet/signing";

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

describe("a certificate signing request", () => {
  const subject = "O=system:nodes, CN=system:node:worker-1";

  test("from the node's kubelet with its own token is signed", async () => {
    expect(await isExpectedRequest(await request(subject), expected)).toBe(true);
  });

  test.each<[string, string, Parameters<typeof request>[1]]>([
    ["of another node", "O=system:nodes, CN=system:node:worker-2", {}],
    ["for another group", "O=system:masters, CN=system:node:worker-1", {}],
    ["for an additional group", "O=system:nodes, O=system:masters, CN=system:node:worker-1", {}],
    ["sent with another token", subject, { username: "system:bootstrap:fedcba" }],
    ["sent by a node", subject, { username: "system:node:worker-1" }],
    ["for another signer", subject, { signerName: "kubernetes.io/kube-apiserver-client" }],
    ["for a server certificate", subject, { usages: ["server auth"] }],
    ["with a subject alternative name", subject, { server: true }],
    ["with an invalid signature", subject, { damage: true }],
  ])("%s is ignored", async (_, name, changes) => {
    expect(await isExpectedRequest(await request(name, changes), expected)).toBe(false);
  });
});
