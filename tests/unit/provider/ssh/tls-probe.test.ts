import "reflect-metadata";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { probeCertificate } from "../../../../provider/ssh/tls-probe";
import { ControlPlane } from "../../../support/api-endpoint";

let server: ControlPlane;
beforeEach(async () => void (server = await ControlPlane.start("cp-1")));
afterEach(() => server.stop());

const KUBELET = {
  commonName: "system:node:worker-1",
  usages: ["server" as const],
  ipAddresses: ["10.0.0.12"],
  days: 1,
};
const probe = (host: string, ca = server.authority.certificate) => probeCertificate(server.remote, 6443, { host, ca });

test("a certificate with the name, of the CA, is valid", async () => {
  expect(await probe("kubernetes")).toBeUndefined();
});

test("a certificate without the name is not valid, and the machine and port are named", async () => {
  expect(await probe("api.dev.internal")).toBe("cp-1, port 6443: ERR_TLS_CERT_ALTNAME_INVALID");
});

test("a certificate of another CA is not valid", async () => {
  const other = await createAuthority("other", 1);
  expect(await probe("kubernetes", other.certificate)).toMatch(/^cp-1, port 6443: \w+/);
});

test("a port at which nothing answers is an error", async () => {
  server.forward = () => Promise.reject(new Error("connection refused"));
  await expect(probe("kubernetes")).rejects.toThrow("connection refused");
});

test("a certificate must be valid for an address, to which the machine connects", async () => {
  const probed = { host: "10.0.0.12", address: "10.0.0.12", ca: server.authority.certificate };
  expect(await probeCertificate(server.remote, 10_250, probed)).toBe("cp-1, port 10250: ERR_TLS_CERT_ALTNAME_INVALID");
  server.certify(await createCertificate(server.authority, KUBELET));
  expect(await probeCertificate(server.remote, 10_250, probed)).toBeUndefined();
  expect(server.forwarded).toEqual(["10.0.0.12:10250", "10.0.0.12:10250"]);
});
