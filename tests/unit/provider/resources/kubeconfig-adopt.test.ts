import "reflect-metadata";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KubeClients } from "../../../../provider/kube/clients";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, type Authority, homeKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let [ours, foreign]: Authority[] = [];
beforeAll(async () => {
  [ours, foreign] = await Promise.all([newAuthority(), newAuthority()]);
});

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-"));
  path = join(folder, "config");
});
afterEach(() => rm(folder, { recursive: true }));

const HOME = () => homeKubeconfig(foreign!.pem);
const context = () => {
  const kube = { adminKubeconfig: async () => adminKubeconfig(ours!.pem, "KEY") } as unknown as KubeClients;
  return testContext({ kube });
};
const inputs = () => ({ path, controlPlanes: [connectionTo({ host: "10.0.0.1" })], caCertHash: ours!.hash });
const create = async () => (await kubeconfigResource.create(context(), inputs())).outputs;
const refresh = (outputs: Record<string, unknown>) =>
  kubeconfigResource.read!(context(), path, { inputs: inputs(), outputs });
const content = () => readFile(path, "utf8").catch(() => undefined);

describe("an adoption", () => {
  const adopt = async () => (await kubeconfigResource.adopt!(context(), inputs())).outputs;

  test("records the entries of an existing file as the run that wrote them did", async () => {
    const outputs = await create();
    const before = await content();
    expect(await adopt()).toEqual(outputs);
    expect(await content()).toBe(before);
  });

  test("does not own a file with other clusters", async () => {
    await writeFile(path, HOME());
    const outputs = await create();
    expect(await adopt()).toMatchObject({ entries: outputs.entries, created: false });
  });

  test("writes no file: the next update writes it", async () => {
    const outputs = await adopt();
    expect(await content()).toBeUndefined();
    expect((await refresh(outputs))?.outputs).toEqual(outputs);
  });

  test("leaves a file without the cluster to the next update", async () => {
    await writeFile(path, HOME());
    const outputs = await adopt();
    expect(await content()).toBe(HOME());
    expect(await refresh(outputs)).toMatchObject({ inputs: { problem: expect.stringMatching(/differs/) as string } });
  });
});

describe("a file that another computer wrote", () => {
  test("is not here, and is neither gone nor replaced", async () => {
    const old = { inputs: inputs(), outputs: { sha256: "a" } };
    expect(await kubeconfigResource.read!(context(), path, old)).toEqual(old);
    expect(await kubeconfigResource.extraChanges!(inputs(), old, context())).toEqual(["sha256"]);
  });

  test.each([
    ["/home/a/lab/.kubewright/dev/kubeconfig", ".kubewright/dev/kubeconfig", true],
    ["/home/a/lab/one", "/home/b/lab/two", false],
  ])("%s is the file %s of the program: %s", (recorded, now, same) => {
    expect(kubeconfigResource.isProtected!({ path: now }, { path: recorded }, context())).toBe(same);
  });
});
