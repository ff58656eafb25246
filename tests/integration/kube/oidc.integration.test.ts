import "reflect-metadata";
import { execFile } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oidcIssuer } from "../../../components/nodes/oidc";
import { createAuthority, createCertificate } from "../../../provider/pki/x509";
import { authenticationConfiguration } from "../../../render/oidc";
import { ApiServer } from "../../support/apiserver";

const MINUTES = 3 * 60_000;
const folder = mkdtempSync(join(tmpdir(), "kubewright-oidc-"));
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
let issuer: string;
let provider: Server;
let server: ApiServer;

/** An issuer of ID tokens: its metadata and its public key, by a certificate of its own CA. */
async function startIssuer(): Promise<{ url: string; ca: string }> {
  const authority = await createAuthority("issuer", 1);
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  const { certificate: cert, key } = await createCertificate(authority, {
    ...{ commonName: "localhost", usages: ["server"], days: 1 },
    ...names,
  });
  const jwk = { ...createPublicKey(privateKey).export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" };
  provider = createServer({ cert, key }, ({ url }, response) => {
    const metadata = { issuer, jwks_uri: `${issuer}/keys`, id_token_signing_alg_values_supported: ["RS256"] };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(url === "/keys" ? { keys: [jwk] } : metadata));
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  return { url: `https://127.0.0.1:${(provider.address() as AddressInfo).port}`, ca: authority.certificate };
}

beforeAll(async () => {
  const { url, ca } = await startIssuer();
  issuer = url;
  const required = { requiredClaims: { team: "platform" } };
  const configured = oidcIssuer.parse({ issuer, audiences: ["kubernetes", "kubectl"], ca, ...required });
  const path = join(folder, "authentication.yaml");
  writeFileSync(path, authenticationConfiguration([configured]));
  server = await ApiServer.start([`--authentication-config=${path}`]);
  await waitForStatus("200", async () => (await request("/readyz")).status);
}, MINUTES);
afterAll(async () => {
  await server?.stop();
  provider?.close();
  rmSync(folder, { recursive: true });
});

function token(claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  const own = { iss: issuer, aud: "kubernetes", sub: "ana", groups: ["system:masters", "admins"], team: "platform" };
  const payload = { ...own, iat: now, exp: now + 600, ...claims };
  const text = [{ alg: "RS256", kid: "1" }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** Sends a request, and returns its status and the text of the answer. The issuer can answer during it. */
async function request(path: string, { bearer, body }: { bearer?: string; body?: object } = {}) {
  const address = server.api.config.getCurrentCluster()?.server ?? "";
  const header = (line: string) => ["-H", line];
  const { stdout } = await promisify(execFile)("curl", [
    ...["-sk", "-w", "\n%{http_code}", `${address}${path}`],
    ...(bearer === undefined ? [] : header(`authorization: Bearer ${bearer}`)),
    ...(body === undefined ? [] : [...header("content-type: application/json"), "-d", JSON.stringify(body)]),
  ]);
  const end = stdout.lastIndexOf("\n");
  return { status: stdout.slice(end + 1), text: stdout.slice(0, end) };
}

const REVIEW = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
const REVIEWS = `/apis/${REVIEW.apiVersion}/${REVIEW.kind.toLowerCase()}s`;
/** 403 for a user without permissions, 401 for a token that is refused. Without a body, no stream is reset by a 401. */
const statusWith = async (bearer: string) => (await request("/api/v1/secrets", { bearer })).status;

/** The API server creates its roles, and reads the issuer's keys, after its start. */
async function waitForStatus(expected: string, status: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + 40_000;
  while ((await status()) !== expected && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await status()).toBe(expected);
}
const waitForLogin = async (bearer: string) => await waitForStatus("403", async () => await statusWith(bearer));

test(
  "a user of the issuer logs in, with prefixes that no user or group of Kubernetes has",
  async () => {
    await waitForLogin(token({}));
    const { text } = await request(REVIEWS, { bearer: token({}), body: REVIEW });
    const { username, groups } = (JSON.parse(text) as { status: { userInfo: { username: string; groups: string[] } } })
      .status.userInfo;
    expect(username).toBe("oidc:ana");
    expect(groups).toEqual(["oidc:system:masters", "oidc:admins", "system:authenticated"]);
  },
  MINUTES,
);

test.each([
  ["for another client", { aud: "other" }],
  ["that has ended", { exp: 1 }],
  ["without a required claim", { team: "sales" }],
])(
  "a token %s is refused",
  async (_, claims) => {
    await waitForLogin(token({ aud: "kubectl" }));
    expect(await statusWith(token(claims))).toBe("401");
  },
  MINUTES,
);

test("other logins work as before, and health checks need none", async () => {
  expect((await request("/api/v1/secrets", { bearer: "test-token" })).status).toBe("200");
  expect((await request("/livez")).status).toBe("200");
});
