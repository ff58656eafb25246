import "reflect-metadata";
import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { sha256 } from "../../../../provider/host/files";
import type { KubeClients } from "../../../../provider/kube/clients";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, type Authority, homeKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let [ours, rebuilt, foreign]: Authority[] = [];
beforeAll(async () => {
  [ours, rebuilt, foreign] = await Promise.all([newAuthority(), newAuthority(), newAuthority()]);
});

let folder: string;
let path: string;
let key: string;
let cluster: Authority | undefined;
let warnings: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-"));
  path = join(folder, "config");
  [key, cluster, warnings] = ["KEY", ours, []];
});
afterEach(() => rm(folder, { recursive: true }));

const adminConf = (authority = cluster) => adminKubeconfig(authority!.pem, key);
const HOME = () => homeKubeconfig(foreign!.pem);

const context = () => {
  const read = () => (cluster ? Promise.resolve(adminConf()) : Promise.reject(new Error("no answer")));
  const kube = { adminKubeconfig: read } as unknown as KubeClients;
  return testContext({ kube, warn: (message) => void warnings.push(message) });
};
const inputs = (caCertHash = ours!.hash) => ({ path, controlPlanes: [connectionTo({ host: "10.0.0.1" })], caCertHash });
type Outputs = Record<string, unknown>;
const create = async () => (await kubeconfigResource.create(context(), inputs())).outputs;
const update = async (outputs: Outputs, hash = ours!.hash) =>
  await kubeconfigResource.update!(context(), path, inputs(hash), { inputs: inputs(), outputs });
const remove = (outputs: Outputs) => kubeconfigResource.delete!(context(), path, { inputs: inputs(), outputs });
const changes = (outputs: Outputs) =>
  kubeconfigResource.extraChanges!(inputs(), { inputs: inputs(), outputs }, context());
const refresh = (outputs: Outputs) => kubeconfigResource.read!(context(), path, { inputs: inputs(), outputs });
const content = () => readFile(path, "utf8").catch(() => undefined);
const mode = async () => ((await stat(path)).mode & 0o777).toString(8);
const names = async (section: string) =>
  (parse((await content()) ?? "") as Record<string, { name: string }[]>)[section]?.map(({ name }) => name);

describe("a new file", () => {
  test("is the control plane's kubeconfig, private, and deleted together with the resource", async () => {
    const outputs = await create();
    expect(await content()).toBe(adminConf());
    expect(await mode()).toBe("600");
    expect(outputs).toMatchObject({ created: true, entries: { context: "kubernetes-admin@kubernetes" } });
    expect(await changes(outputs)).toEqual([]);
    await remove(outputs);
    expect(await readdir(folder)).toEqual([]);
  });

  test("stays when the user has added another cluster, without the entries of this one", async () => {
    const outputs = await create();
    await writeFile(path, HOME()); // the user's new file replaced the one that was created
    await update(outputs);
    await remove(outputs);
    expect(await content()).toBe(HOME());
  });

  test("that a killed run left is taken over: it names this cluster only", async () => {
    await writeFile(path, adminConf());
    key = "NEW";
    await remove(await create());
    expect(await content()).toBeUndefined();
  });
});

describe("an existing kubeconfig", () => {
  beforeEach(() => writeFile(path, HOME()));

  test("gets the entries of the cluster, and keeps its own with their comments", async () => {
    await create();
    const text = await content();
    for (const line of HOME().trimEnd().split("\n")) expect(text).toContain(line);
    expect(await names("clusters")).toEqual(["office", "kubernetes"]);
    expect(await names("contexts")).toEqual(["work", "kubernetes-admin@kubernetes"]);
    expect(await names("users")).toEqual(["me", "kubernetes-admin"]);
  });

  test("keeps its current context, and gets one if it has none", async () => {
    await create();
    expect(await content()).toContain("current-context: work\n");
    await writeFile(path, HOME().replace("current-context: work", 'current-context: ""'));
    await create();
    expect(parse((await content())!)).toHaveProperty("current-context", "kubernetes-admin@kubernetes");
  });

  test("is as before when the resource is deleted", async () => {
    await remove(await create());
    expect(await content()).toBe(HOME());
  });

  test("has no current context after the deletion if that was the cluster's", async () => {
    const outputs = await create();
    await writeFile(
      path,
      (await content())!.replace("current-context: work", "current-context: kubernetes-admin@kubernetes"),
    );
    await remove(outputs);
    expect(await content()).toBe(HOME().replace("current-context: work", 'current-context: ""'));
  });

  test("keeps its content and comments in any other format", async () => {
    const text = `{kind: Config, users: [{name: me, user: {token: mine}}], # mine\n clusters: null, contexts: []}\n`;
    await writeFile(path, text);
    await remove(await create());
    expect(parse((await content())!)).toEqual({ ...parse(text), clusters: [], "current-context": "" });
    expect(await content()).toContain("# mine");
  });

  test("keeps its mode, and stays a symbolic link", async () => {
    await chmod(path, 0o640);
    const link = join(folder, "link");
    await symlink(path, link);
    await kubeconfigResource.create(context(), { ...inputs(), path: link });
    expect(await mode()).toBe("640");
    expect(await names("clusters")).toContain("kubernetes");
    expect((await readdir(folder)).sort()).toEqual(["config", "link"]);
  });

  test("that is empty gets the entries, and is not deleted", async () => {
    await writeFile(path, "");
    const outputs = await create();
    expect(await content()).toContain("current-context: kubernetes-admin@kubernetes\n");
    await remove(outputs);
    expect(await names("clusters")).toEqual([]);
  });

  test.each(["my notes: [", "a text", "kind: Pod\n", "kind: Config\nclusters: none\n", "kind: Config\nusers: [\n"])(
    "that is something else is neither changed nor deleted: %j",
    async (text) => {
      await writeFile(path, text);
      await expect(create()).rejects.toThrow(/config is not a kubeconfig; choose another path, or move the file away/);
      await remove({ sha256: "0" });
      expect(await content()).toBe(text);
      expect(warnings).toEqual([expect.stringContaining("it was not changed")]);
    },
  );
});

test("entries that a killed run left beside those of the user do not make the file one that was created", async () => {
  await writeFile(path, HOME());
  await create();
  expect(await create()).toMatchObject({ created: false });
});

test("a cluster that the user has put under the recorded name is not removed", async () => {
  const outputs = await create();
  await writeFile(path, adminConf(foreign));
  await remove(outputs);
  expect(await content()).toBe(adminConf(foreign));
  expect(warnings).toEqual([expect.stringContaining("has no entry of this cluster: it was not changed")]);
});

describe("another cluster of the same names", () => {
  const suffix = () => ours!.hash.slice("sha256:".length, "sha256:".length + 8);
  beforeEach(() => writeFile(path, adminConf(foreign)));

  test("keeps its entries: those of this cluster get other names", async () => {
    const outputs = await create();
    expect(outputs.entries).toEqual({
      cluster: `kubernetes-${suffix()}`,
      user: `kubernetes-admin-${suffix()}`,
      context: `kubernetes-admin@kubernetes-${suffix()}`,
    });
    const { contexts } = parse((await content())!) as { contexts: unknown[] };
    expect(contexts[1]).toEqual({
      name: `kubernetes-admin@kubernetes-${suffix()}`,
      context: { cluster: `kubernetes-${suffix()}`, user: `kubernetes-admin-${suffix()}` },
    });
    await remove(outputs);
    expect(await content()).toBe(adminConf(foreign));
  });

  test("keeps a user of that name that belongs to no context", async () => {
    await writeFile(path, "kind: Config\nusers: [{name: kubernetes-admin, user: {token: mine}}]\n");
    await create();
    expect(await names("users")).toEqual(["kubernetes-admin", `kubernetes-admin-${suffix()}`]);
  });
});

describe("an update", () => {
  test("changes the entries of the cluster only, under their names", async () => {
    await writeFile(path, HOME());
    const outputs = await create();
    key = "RENEWED";
    const before = await content();
    await update(outputs);
    const encode = (text: string) => Buffer.from(text).toString("base64");
    expect(await content()).toBe(before!.replace(encode("KEY"), encode("RENEWED")));
  });

  test("replaces the entries of a cluster that was rebuilt, and stays its current context", async () => {
    const outputs = await create();
    cluster = rebuilt;
    const updated = await update(outputs, rebuilt!.hash);
    expect(parse((await content())!)).toEqual(parse(adminConf(rebuilt)));
    expect(updated).toMatchObject({ created: true });
  });

  test("writes the file again if it was deleted", async () => {
    const outputs = await create();
    await rm(path);
    expect(await changes(outputs)).toEqual(["sha256"]);
    await update(outputs);
    expect(await content()).toBe(adminConf());
  });
});

describe("a difference", () => {
  test("is not what the user has done with other entries", async () => {
    await writeFile(path, HOME());
    const outputs = await create();
    await writeFile(
      path,
      (await content())!.replace("token: mine", "token: other").replace("context: work", "context: x"),
    );
    expect(await changes(outputs)).toEqual([]);
    expect((await refresh(outputs))?.inputs.problem).toBeUndefined();
  });

  test("is found in the entries of the cluster, and by a refresh when the control plane has other ones", async () => {
    const outputs = await create();
    key = "RENEWED";
    expect((await refresh(outputs))?.inputs.problem).toMatch(/differs from the control plane's kubeconfig/);
    await writeFile(path, (await content())!.replace("10.0.0.1", "10.0.0.2"));
    expect(await changes(outputs)).toEqual(["sha256"]);
  });

  test("is not reported by a refresh without a control plane, except in the file", async () => {
    const outputs = await create();
    cluster = undefined;
    expect((await refresh(outputs))?.inputs.problem).toBeUndefined();
    await writeFile(path, (await content())!.replace("10.0.0.1", "10.0.0.2"));
    expect((await refresh(outputs))?.inputs.problem).toMatch(/differs/);
  });
});

describe("a state of an older version, which has the hash of the whole file", () => {
  const old = () => ({ sha256: sha256(adminConf()) });
  beforeEach(() => writeFile(path, adminConf()));

  test("has no changes, and is deleted with its file", async () => {
    expect(await changes(old())).toEqual([]);
    expect((await refresh(old()))?.inputs.problem).toBeUndefined();
    await remove(old());
    expect(await content()).toBeUndefined();
  });

  test("is updated to one with the names of the entries", async () => {
    key = "RENEWED";
    expect(await update(old())).toMatchObject({ created: true, entries: { cluster: "kubernetes" } });
    expect(await content()).toBe(adminConf());
  });
});

test("two clusters are written to one file at the same time", async () => {
  const write = (authority: Authority) => {
    const kube = { adminKubeconfig: async () => adminConf(authority) } as unknown as KubeClients;
    return kubeconfigResource.create(testContext({ kube }), inputs(authority.hash));
  };
  await Promise.all([ours!, rebuilt!, foreign!].map(write));
  expect(await names("clusters")).toHaveLength(3);
  expect(await readdir(folder)).toEqual(["config"]);
});
