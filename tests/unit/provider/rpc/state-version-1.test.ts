import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { artifactsResource } from "../../../../provider/resources/artifacts";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { preflightResource } from "../../../../provider/resources/preflight";
import { sshKeyResource } from "../../../../provider/resources/ssh-key";
import { vagrantResources } from "../../../../provider/resources/vagrant/resources";
import { EngineLog } from "../../../../provider/rpc/engine";
import { registryOf } from "../../../../provider/rpc/handler";
import { Operations } from "../../../../provider/rpc/operations";
import { Tasks } from "../../../../provider/rpc/tasks";
import { newKeyPair } from "../../../../provider/ssh/key-pair";
import type { Json } from "./requests";

/** Folder of the stack on the computer that wrote the state, and below the folder of the project. */
const [THERE, HERE] = ["/home/a/lab/.kubewright/dev", ".kubewright/dev"];
const pair = newKeyPair("kubewright dev");
let project: string;
let old: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "kubewright-version-1-"));
  old = THERE;
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

const local = [artifactsResource, kubeconfigResource, preflightResource, sshKeyResource];
const resources = registryOf([...local, ...vagrantResources]);
const operations = new Operations(resources, new Tasks(new EngineLog(), createProviderContext()));
const urnOf = (type: string) => `urn:pulumi:dev::kubewright::kubewright:${type}::it`;
const struct = (values: object) => Struct.fromJavaScript(values as Record<string, Json>);

interface Resource {
  type: string;
  inputs: (folder: string) => object;
  outputs: () => object;
}

const connection = (folder: string) => ({ name: "boss", host: "10.0.0.10", privateKeyPath: `${folder}/id_ed25519` });
const sshKey: Resource = {
  type: "local:SshKey",
  inputs: (folder) => ({ path: `${folder}/id_ed25519`, comment: "kubewright dev" }),
  outputs: () => ({ publicKey: pair.public }),
};
const artifacts: Resource = {
  type: "local:Artifacts",
  inputs: () => ({ source: "auto", kubernetes: "1.36.3", arch: "amd64" }),
  outputs: () => ({
    resolvedSource: "official",
    binaries: { kubelet: { path: "/home/a/.cache/kubewright/artifacts/kubelet-1/kubelet", sha256: "a", size: 1 } },
    images: {},
    refs: {},
  }),
};
const kubeconfig: Resource = {
  type: "local:Kubeconfig",
  inputs: (folder) => ({
    path: `${folder}/kubeconfig`,
    controlPlanes: [connection(folder)],
    caCertHash: `sha256:${"a".repeat(64)}`,
  }),
  outputs: () => ({ sha256: "a" }),
};
const preflight: Resource = {
  type: "cluster:Preflight",
  inputs: (folder) => ({
    machines: [{ name: "boss", connection: connection(folder), role: "control-plane" }],
    podCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    proxyMode: "nftables",
  }),
  outputs: () => ({ passed: { boss: "id" } }),
};

const vagrantOutputs = (folder: string) => ({
  ...{ machineId: "uuid-1", address: "127.0.0.1", port: 2222, user: "vagrant", hostKey: "ssh-ed25519 AAAA" },
  ...{ privateKeyPath: `${folder}/vagrant/.vagrant/machines/boss/libvirt/private_key`, privateAddress: "10.0.0.10" },
});
const vagrantMachine: Resource = {
  type: "vagrant:Machine",
  inputs: (folder) => ({
    ...{ folder: `${folder}/vagrant`, hostname: "boss", provider: "libvirt", box: "fedora/41", index: 0 },
    subnet: "10.0.0.0/24",
  }),
  outputs: () => vagrantOutputs(THERE),
};
const existingMachine: Resource = {
  type: "vagrant:ExistingMachine",
  inputs: (folder) => ({ vagrantfile: `${folder}/own/Vagrantfile`, machine: "boss" }),
  outputs: () => vagrantOutputs(THERE),
};

/** Returns the changes between the state of version 1 and the present program. */
async function differences({ type, inputs, outputs }: Resource) {
  const checked = new provider.CheckRequest();
  checked.setUrn(urnOf(type));
  checked.setNews(struct(inputs(HERE)));
  const request = new provider.DiffRequest();
  request.setUrn(urnOf(type));
  request.setOlds(struct({ ...inputs(old), ...outputs() }));
  request.setOldInputs(struct(inputs(old)));
  request.setNews((await operations.check(checked)).getInputs());
  const { diffsList, replacesList } = (await operations.diff(request)).toObject();
  return { changed: diffsList, replaced: replacesList };
}

test.each<[string, Resource, string[]]>([
  ["local:SshKey", sshKey, ["path", "privateKey"]],
  ["local:Artifacts", artifacts, ["binaries"]],
  ["local:Kubeconfig", kubeconfig, ["path", "sha256"]],
  ["cluster:Preflight", preflight, []],
  ["vagrant:Machine", vagrantMachine, ["folder"]],
  ["vagrant:ExistingMachine", existingMachine, ["vagrantfile"]],
])("a state of version 1 of another computer updates %s at most", async (_, resource, changed) => {
  expect(await differences(resource)).toEqual({ changed, replaced: [] });
});

test("on the computer that wrote the state, the update of the SSH key records the private key", async () => {
  old = join(project, HERE);
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, "id_ed25519"), pair.private);
  expect(await differences(sshKey)).toEqual({ changed: ["path", "privateKey"], replaced: [] });
  expect(await differences(preflight)).toEqual({ changed: [], replaced: [] });
  const request = new provider.UpdateRequest();
  request.setUrn(urnOf(sshKey.type));
  request.setId(`${old}/id_ed25519`);
  request.setOlds(struct({ ...sshKey.inputs(old), ...sshKey.outputs() }));
  request.setOldInputs(struct(sshKey.inputs(old)));
  request.setNews(struct(sshKey.inputs(HERE)));
  const state = (await operations.update(request)).getProperties()?.toJavaScript();
  expect(state).toMatchObject({
    path: `${HERE}/id_ed25519`,
    publicKey: pair.public,
    privateKey: { value: pair.private },
  });
});
