import { DAY_MS } from "../../common/duration";
import "reflect-metadata";
import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from "@peculiar/x509";
import type { Usage } from "../../render/components/pki";

cryptoProvider.set(webcrypto);

/** P-256, which kubeadm calls ECDSA-P256: small, fast, and supported by every TLS implementation. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** Certificates are valid from a few minutes ago, because a machine's clock may be behind. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** A certificate and its private key, both PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  usages: readonly Usage[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  days: number;
}

/** Generates a key pair in PEM: PKCS #8 and SPKI. */
export function generateKeyPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: ALGORITHM.namedCurve,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

/** Creates a self-signed CA that signs certificates, but no other CAs. */
export async function createAuthority(commonName: string, days: number): Promise<Identity> {
  const { privateKey, publicKey } = generateKeyPair();
  const [signingKey, subjectKey] = await Promise.all([importPrivate(privateKey), importPublic(publicKey)]);
  const flags = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign;
  const certificate = await X509CertificateGenerator.create({
    ...validity(days),
    subject: distinguishedName(commonName),
    issuer: distinguishedName(commonName),
    publicKey: subjectKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(flags, true),
      await SubjectKeyIdentifierExtension.create(subjectKey),
    ],
  });
  return { certificate: pem(certificate), key: privateKey };
}

/** Generates a key and a certificate for it. */
export async function createCertificate(authority: Identity, request: CertificateRequest): Promise<Identity> {
  const { privateKey, publicKey } = generateKeyPair();
  return { certificate: await signCertificate(authority, publicKey, request), key: privateKey };
}

/** Signs a certificate for a public key (PEM) whose private key another process has. */
export async function signCertificate(
  authority: Identity,
  publicKey: string,
  request: CertificateRequest,
): Promise<string> {
  const issuer = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create({
    ...validity(request.days),
    subject: distinguishedName(request.commonName, request.organizations),
    issuer: issuer.subjectName,
    publicKey: await importPublic(publicKey),
    signingKey: await importPrivate(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: await extensionsOf(request, issuer),
  });
  return pem(certificate);
}

async function extensionsOf(
  { usages, dnsNames = [], ipAddresses = [] }: CertificateRequest,
  issuer: X509Certificate,
): Promise<Extension[]> {
  const purposes = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth };
  const names: JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages.map((usage) => purposes[usage])),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
  ];
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - CLOCK_TOLERANCE_MS), notAfter: new Date(Date.now() + days * DAY_MS) };
}

/** Returns a distinguished name in Kubernetes' order: `O=system:nodes, CN=system:node:worker-1`. */
function distinguishedName(commonName: string, organizations: readonly string[] = []): Record<string, string[]>[] {
  return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }];
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function importPrivate(key: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

async function importPublic(key: string): Promise<webcrypto.CryptoKey> {
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return webcrypto.subtle.importKey("spki", der, ALGORITHM, true, ["verify"]);
}
