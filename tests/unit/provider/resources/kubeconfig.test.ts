import "reflect-metadata";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority } from "../../../../provider/pki/x509";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import type { KubeClients } from "../../../../provider/kube/clients";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";

let ours: { pem: string; hash: string };
let foreign: { pem: string; hash: string };
beforeAll(async () => {
  const authority = async (name: string) => {
    const { certificate } = await createAuthority(name, 1);
    return { pem: certificate, hash: caCertHash(certificate) };
  };
  [ours, foreign] = [await authority("kubernetes"), await authority("other")];
});

let path: string;
beforeEach(async () => void (path = join(await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-")), "config")));
afterEach(() => rm(join(path, ".."), { recursive: true }));

function kubeconfig(...clusters: { pem: string }[]): string {
  const entries = clusters.map(({ pem }, index) => {
    const data = Buffer.from(pem).toString("base64");
    return `- name: c${index}\n  cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: ${data}}\n`;
  });
  return `apiVersion: v1\nkind: Config\nclusters:\n${entries.join("")}`;
}

const context = () =>
  testContext({ kube: { adminKubeconfig: async () => kubeconfig(ours) } as unknown as KubeClients });
const inputs = () => ({ path, controlPlanes: [connectionTo({ host: "10.0.0.1" })], caCertHash: ours.hash });
const create = () => kubeconfigResource.create(context(), inputs());
const remove = (sha256 = "0") => kubeconfigResource.delete!(context(), path, { inputs: inputs(), outputs: { sha256 } });
const content = () => readFile(path, "utf8").catch(() => undefined);

test("a kubeconfig is written, and deleted together with the resource", async () => {
  const { outputs } = await create();
  expect(await content()).toBe(kubeconfig(ours));
  await remove(String(outputs.sha256));
  expect(await content()).toBeUndefined();
});

test("a kubeconfig that an interrupted run left is overwritten: it names this cluster only", async () => {
  await writeFile(path, `${kubeconfig(ours)}# half\n`);
  await create();
  expect(await content()).toBe(kubeconfig(ours));
});

test("a kubeconfig with contexts of other clusters is neither overwritten nor deleted", async () => {
  const both = kubeconfig(foreign, ours);
  await writeFile(path, both);
  await expect(create()).rejects.toThrow(/has entries of other clusters.*; choose another path/);
  await remove();
  expect(await content()).toBe(both);
});

test("a file that is no kubeconfig is neither overwritten nor deleted", async () => {
  await writeFile(path, "my notes: [");
  await expect(create()).rejects.toThrow(/choose another path/);
  await remove();
  expect(await content()).toBe("my notes: [");
});
