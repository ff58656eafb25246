import "reflect-metadata";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeClients } from "../../../../provider/kube/clients";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-"))));
afterEach(() => rm(folder, { recursive: true }));

test("a client certificate that ends soon shows as a change without a refresh", async () => {
  const authority = await createAuthority("kubernetes", 10);
  const admin = { commonName: "admin", usages: ["client" as const], days: 365 };
  const { certificate } = await createCertificate(authority, admin);
  const { pem, hash } = await newAuthority();
  const kube = { adminKubeconfig: async () => adminKubeconfig(pem, "KEY", certificate) } as unknown as KubeClients;
  const context = testContext({ kube });
  const controlPlanes = [connectionTo({ host: "10.0.0.1" })];
  const inputs = { path: join(folder, "config"), controlPlanes, caCertHash: hash };
  const { outputs } = await kubeconfigResource.create(context, inputs);
  const changesIn = async (days: number) => {
    const clock = { now: () => Date.now() + days * 86_400_000 };
    return await kubeconfigResource.extraChanges!(inputs, { inputs, outputs }, { ...context, clock });
  };
  expect(await changesIn(334)).toEqual([]);
  expect(await changesIn(336)).toEqual(["renewAfter"]);
});
