import "reflect-metadata";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serverOf, withServer } from "../../../../render/kubeconfig-server";
import type { KubeClients } from "../../../../provider/kube/clients";
import { kubeconfigResource, selectReadyControlPlane } from "../../../../provider/resources/kubeconfig";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, type Authority, homeKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let [ours, foreign]: Authority[] = [];
beforeAll(async () => {
  [ours, foreign] = await Promise.all([newAuthority(), newAuthority()]);
});

let path: string;
beforeEach(async () => void (path = join(await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-")), "config")));
afterEach(() => rm(join(path, ".."), { recursive: true }));

const content = () => readFile(path, "utf8").catch(() => undefined);

describe("a kubeconfig of several control planes", () => {
  const hosts = ["10.0.0.1", "10.0.0.2"];
  const addresses = hosts.map((host) => `${host}:6443`);
  /** Addresses whose API server is ready. */
  let ready: string[];
  beforeEach(() => void (ready = [...addresses]));

  /** Each control plane has its own credentials. */
  const kube = {
    adminKubeconfig: async (controlPlanes: { host: string }[], _: unknown, endpoints: string[]) => {
      const index = Math.max(
        0,
        endpoints.findIndex((each) => ready.includes(each)),
      );
      return withServer(adminKubeconfig(ours!.pem, `KEY-${controlPlanes[index]!.host}`), endpoints[index]!);
    },
  } as unknown as KubeClients;
  const two = () => ({
    path,
    controlPlanes: hosts.map((host) => connectionTo({ host })),
    endpoints: addresses,
    caCertHash: ours!.hash,
  });
  const several = () => testContext({ kube });
  const write = async () => ({
    inputs: two(),
    outputs: (await kubeconfigResource.create(several(), two())).outputs,
  });
  type Written = Awaited<ReturnType<typeof write>>;
  const problem = async (old: Written) => (await kubeconfigResource.read!(several(), path, old))?.inputs.problem;
  const changed = (old: Written) => kubeconfigResource.extraChanges!(two(), old, several());
  const named = async () => serverOf((await content()) ?? "");

  test("names one that is ready", async () => {
    ready = ["10.0.0.2:6443"];
    await write();
    expect(await named()).toBe("10.0.0.2:6443");
  });

  test("keeps the one that it names while that one is ready", async () => {
    ready = ["10.0.0.2:6443"];
    const old = await write();
    ready = [...addresses];
    expect(await problem(old)).toBeUndefined();
    await write();
    expect(await named()).toBe("10.0.0.2:6443");
  });

  test("is reported by a refresh when that one is not ready, and then names another one", async () => {
    const old = await write();
    ready = ["10.0.0.2:6443"];
    expect(await problem(old)).toMatch(/differs/);
    await write();
    expect(await named()).toBe("10.0.0.2:6443");
  });

  test("names another one when it is selected, which is no difference", async () => {
    await writeFile(path, homeKubeconfig(foreign!.pem));
    const old = await write();
    const before = (await content())!;
    ready = ["10.0.0.2:6443"];
    await selectReadyControlPlane(several(), old as never);
    expect(await content()).toBe(before.replace("10.0.0.1:6443", "10.0.0.2:6443"));
    expect(await changed(old)).toEqual([]);
    expect(await problem(old)).toBeUndefined();
  });

  test("differs if it names no control plane", async () => {
    const old = await write();
    await writeFile(path, (await content())!.replace("10.0.0.1:6443", "10.0.0.9:6443"));
    expect(await changed(old)).toEqual(["sha256"]);
    expect(await problem(old)).toMatch(/differs/);
  });
});
