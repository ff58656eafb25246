import { DAY_MS } from "../../common/duration";
import "reflect-metadata";
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from "node:crypto";
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
import { CERTIFICATE_KEYS, type CertificateKeys } from "../../render/kubeadm-types";

cryptoProvider.set(webcrypto);

/** P-256, which kubeadm calls ECDSA-P256: small, fast, and supported by every TLS implementation. */
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** The signature that kubeadm creates with RSA keys, of all sizes. */
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
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

const ENCODINGS = {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
} as const;

/** A key pair in PEM: PKCS #8 and SPKI. */
export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

/** Generates a key pair. RSA keys take up to some seconds, in which other work continues. */
export async function createKeyPair(keys: CertificateKeys = "ECDSA-P256"): Promise<KeyPair> {
  return await new Promise((resolve, reject) => {
    const done = (error: Error | null, publicKey: string, privateKey: string) =>
      error ? reject(error) : resolve({ privateKey, publicKey });
    if (keys === "ECDSA-P256") generateKeyPair("ec", { namedCurve: ECDSA.namedCurve, ...ENCODINGS }, done);
    else generateKeyPair("rsa", { modulusLength: Number(keys.replace("RSA-", "")), ...ENCODINGS }, done);
  });
}

/**
 * Returns the algorithm of a public key, or of a certificate's key (PEM).
 * @returns ECDSA-P256 for a key that kubeadm does not create
 */
export function keysOf(pem: string): CertificateKeys {
  const { modulusLength } = createPublicKey(pem).asymmetricKeyDetails ?? {};
  return CERTIFICATE_KEYS.find((keys) => keys === `RSA-${modulusLength}`) ?? "ECDSA-P256";
}

/** Creates a self-signed CA that signs certificates, but no other CAs. */
export async function createAuthority(commonName: string, days: number, keys?: CertificateKeys): Promise<Identity> {
  const { privateKey, publicKey } = await createKeyPair(keys);
  const [signingKey, subjectKey] = await Promise.all([importPrivate(privateKey), importPublic(publicKey)]);
  const flags = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign;
  const certificate = await X509CertificateGenerator.create({
    ...validity(days),
    subject: distinguishedName(commonName),
    issuer: distinguishedName(commonName),
    publicKey: subjectKey,
    signingKey,
    signingAlgorithm: algorithmOf(createPrivateKey(privateKey)),
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
  const { privateKey, publicKey } = await createKeyPair();
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
    signingAlgorithm: algorithmOf(createPrivateKey(authority.key)),
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
  const privateKey = createPrivateKey(key);
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, algorithmOf(privateKey), false, ["sign"]);
}

async function importPublic(key: string): Promise<webcrypto.CryptoKey> {
  const publicKey = createPublicKey(key);
  const der = publicKey.export({ type: "spki", format: "der" });
  return webcrypto.subtle.importKey("spki", der, algorithmOf(publicKey), true, ["verify"]);
}

function algorithmOf({ asymmetricKeyType }: KeyObject): typeof ECDSA | typeof RSA {
  return asymmetricKeyType === "rsa" ? RSA : ECDSA;
}
