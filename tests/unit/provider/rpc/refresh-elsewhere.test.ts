import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { artifactsResource } from "../../../../provider/resources/artifacts";
import { kubeconfigResource } from "../../../../provider/resources/kubeconfig";
import { sshKeyResource } from "../../../../provider/resources/ssh-key";
import { EngineLog } from "../../../../provider/rpc/engine";
import { registryOf } from "../../../../provider/rpc/handler";
import { Operations } from "../../../../provider/rpc/operations";
import { Tasks } from "../../../../provider/rpc/tasks";
import { SecretPaths, decode } from "../../../../provider/rpc/values";
import { newKeyPair } from "../../../../provider/ssh/key-pair";
import type { Json } from "./requests";

/** The project on a computer that has none of the files in `.kubewright` and in the cache. */
let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "kubewright-elsewhere-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
  vi.stubEnv("KUBEWRIGHT_CACHE", join(project, "cache"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

const resources = registryOf([artifactsResource, kubeconfigResource, sshKeyResource]);
const operations = new Operations(resources, new Tasks(new EngineLog(), createProviderContext()));
const struct = (values: object) => Struct.fromJavaScript(values as Record<string, Json>);
const { private: privateKey, public: publicKey } = newKeyPair("dev");

interface Resource {
  type: string;
  id: string;
  inputs: object;
  outputs: object;
}

const keyFile = ".kubewright/dev/id_ed25519";
const sshKey: Resource = {
  type: "local:SshKey",
  id: keyFile,
  inputs: { path: keyFile, comment: "dev" },
  outputs: { privateKey, publicKey },
};
const kubeconfig: Resource = {
  type: "local:Kubeconfig",
  id: ".kubewright/dev/kubeconfig",
  inputs: {
    path: ".kubewright/dev/kubeconfig",
    controlPlanes: [{ name: "boss", host: "127.0.0.1", port: 1, user: "root", privateKeyPath: keyFile }],
    caCertHash: `sha256:${"a".repeat(64)}`,
  },
  outputs: { sha256: "a", entries: { cluster: "dev", user: "dev", context: "dev" }, created: true },
};
const artifacts: Resource = {
  type: "local:Artifacts",
  id: "kubernetes-1.36.3-amd64",
  inputs: { source: "auto", kubernetes: "1.36.3", arch: "amd64" },
  outputs: {
    resolvedSource: "official",
    binaries: { kubelet: { path: "$KUBEWRIGHT_CACHE/artifacts/kubelet-1/kubelet", sha256: "a", size: 1 } },
    images: {},
    refs: {},
  },
};

const urnOf = ({ type }: Resource) => `urn:pulumi:dev::kubewright::kubewright:${type}::it`;

/** Returns the changes that the engine sees. In a refresh, it compares what it has read with the recorded inputs. */
async function differences(resource: Resource) {
  const request = new provider.DiffRequest();
  request.setUrn(urnOf(resource));
  request.setOlds(struct({ ...resource.inputs, ...resource.outputs }));
  request.setOldInputs(struct(resource.inputs));
  request.setNews(struct(resource.inputs));
  return (await operations.diff(request)).getDiffsList();
}

/** Asks what the engine asks before an update. */
async function check(resource: Resource) {
  const request = new provider.CheckRequest();
  request.setUrn(urnOf(resource));
  request.setOlds(struct(resource.inputs));
  request.setNews(struct(resource.inputs));
  await operations.check(request);
}

/** Answers what the engine asks in `pulumi refresh`. */
async function refresh(resource: Resource) {
  const { id, inputs, outputs } = resource;
  const request = new provider.ReadRequest();
  request.setUrn(urnOf(resource));
  request.setId(id);
  request.setInputs(struct(inputs));
  request.setProperties(struct({ ...inputs, ...outputs }));
  const response = await operations.read(request);
  const read = (values?: Struct) => decode(values, new SecretPaths());
  return { id: response.getId(), inputs: read(response.getInputs()), state: read(response.getProperties()) };
}

test.each<[string, Resource]>([
  ["local:SshKey", sshKey],
  ["local:Kubeconfig", kubeconfig],
  ["a local:Kubeconfig that differed", { ...kubeconfig, inputs: { ...kubeconfig.inputs, problem: "it differs" } }],
  ["local:Artifacts", artifacts],
])("on a computer without its files, a refresh finds %s neither changed nor gone", async (_, resource) => {
  const { id, inputs, outputs } = resource;
  expect(await refresh(resource)).toEqual({ id, inputs, state: { ...inputs, ...outputs } });
  expect(await differences(resource)).toEqual([]);
});

test("the next update writes the kubeconfig, also in the run of a refresh", async () => {
  await refresh(kubeconfig);
  expect(await differences(kubeconfig)).toEqual([]);
  await check(kubeconfig);
  expect(await differences(kubeconfig)).toEqual(["sha256"]);
  await refresh(kubeconfig); // of a run without a comparison
  await check(kubeconfig);
  expect(await differences(kubeconfig)).toEqual(["sha256"]);
});

test("a refresh writes the SSH key, and neither the kubeconfig nor the cache", async () => {
  for (const resource of [artifacts, kubeconfig, sshKey]) await refresh(resource);
  expect(readFileSync(join(project, keyFile), "utf8")).toBe(privateKey);
  expect(existsSync(join(project, kubeconfig.id))).toBe(false);
  expect(existsSync(join(project, "cache"))).toBe(false);
});
