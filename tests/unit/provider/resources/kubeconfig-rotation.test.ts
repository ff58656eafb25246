import "reflect-metadata";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import type { KubeClients } from "../../../../provider/kube/clients";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { adminKubeconfig, type Authority, homeKubeconfig, newAuthority } from "../../../support/kubeconfigs";

let [ours, next, foreign]: Authority[] = [];
beforeAll(async () => {
  [ours, next, foreign] = await Promise.all([newAuthority(), newAuthority(), newAuthority()]);
});

let folder: string;
let path: string;
let bundle: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-kubeconfig-"));
  [path, bundle] = [join(folder, "config"), ours!.pem];
});
afterEach(() => rm(folder, { recursive: true }));

type Outputs = Record<string, unknown>;
const inputs = () => ({ path, controlPlanes: [connectionTo({ host: "10.0.0.1" })], caCertHash: ours!.hash });
const context = () =>
  testContext({
    kube: { adminKubeconfig: () => Promise.resolve(adminKubeconfig(bundle, "KEY")) } as unknown as KubeClients,
  });
const create = async () => (await kubeconfigResource.create(context(), inputs())).outputs;
const update = async (outputs: Outputs) =>
  (await kubeconfigResource.update!(context(), path, inputs(), { inputs: inputs(), outputs })) as Outputs;
const contexts = async () =>
  (parse(await readFile(path, "utf8")) as { contexts: { name: string }[] }).contexts.map(({ name }) => name);

/** Adds another context of the user's for the same access. */
async function addContext(name: string): Promise<void> {
  const document = parse(await readFile(path, "utf8")) as { contexts: object[] };
  document.contexts.push({ name, context: { cluster: "kubernetes", user: "kubernetes-admin", namespace: "team" } });
  await writeFile(path, stringify(document));
}

test("in each phase of a rotation, and afterwards, the cluster keeps its entries in a kubeconfig", async () => {
  await writeFile(path, homeKubeconfig(foreign!.pem));
  let outputs = (await create()) as Outputs;
  await addContext("mine");
  const before = await contexts();
  for (bundle of [ours!.pem + next!.pem, next!.pem + ours!.pem, next!.pem, next!.pem]) {
    outputs = await update(outputs);
    expect(await contexts()).toEqual(before);
    expect(await readFile(path, "utf8")).toContain(Buffer.from(bundle).toString("base64"));
  }
  await kubeconfigResource.delete!(context(), path, { inputs: inputs(), outputs });
  expect(await contexts()).toEqual(["work"]);
});

test("without a rotation, the CAs are not recorded", async () => {
  expect(await create()).not.toHaveProperty("authorities");
  bundle = next!.pem + ours!.pem;
  expect(await update((await create()) as Outputs)).toMatchObject({ authorities: [next!.hash, ours!.hash] });
});

test("a run that skips two phases knows the cluster too", async () => {
  const outputs = (await create()) as Outputs;
  const before = await contexts();
  bundle = next!.pem;
  await update(outputs);
  expect(await contexts()).toEqual(before);
});
