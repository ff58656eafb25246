import "reflect-metadata";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeClients } from "../../../../provider/kube/clients";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, homeKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-"))));
afterEach(() => rm(folder, { recursive: true }));

test("a write that fails is recorded with the names of the entries, and changes no file", async () => {
  const path = join(folder, "config");
  const [ours, foreign] = await Promise.all([newAuthority(), newAuthority()]);
  await writeFile(path, homeKubeconfig(foreign.pem));
  await mkdir(`${path}.${process.pid}.new`);
  const begun: unknown[] = [];
  const context = testContext({
    kube: { adminKubeconfig: async () => adminKubeconfig(ours.pem, "KEY") } as unknown as KubeClients,
    begin: (...recorded) => void begun.push(recorded),
  });
  const inputs = { path, controlPlanes: [connectionTo({ host: "10.0.0.1" })], caCertHash: ours.hash };
  await expect(kubeconfigResource.create(context, inputs)).rejects.toThrow("EISDIR");
  expect(begun).toEqual([[path, expect.objectContaining({ entries: expect.anything() as object, created: false })]]);
  expect(await readFile(path, "utf8")).toBe(homeKubeconfig(foreign.pem));
});
