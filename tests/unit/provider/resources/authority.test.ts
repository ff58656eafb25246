import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { authorityResource } from "../../../../provider/resources/authority";
import { testContext } from "../../../support/context";

test("an authority has the configured name and lifetime, and the hash that kubeadm join checks", async () => {
  const inputs = { commonName: "etcd-ca", lifetimeDays: 30 };
  const { id, outputs } = await authorityResource.create(testContext({ name: "ca" }), inputs);
  const { certificate, hash } = outputs as { certificate: string; hash: string };
  const parsed = new X509Certificate(certificate);
  expect(id).toBe("ca");
  expect([parsed.subject, parsed.ca]).toEqual(["CN=etcd-ca", true]);
  expect((Date.parse(parsed.validTo) - Date.now()) / 86_400_000).toBeCloseTo(30, 0);
  expect(hash).toBe(caCertHash(certificate));
});
