import { describe, expect, test } from "vitest";
import { imagesResource } from "../../../../provider/resources/images";
import { controlPlaneResource } from "../../../../provider/resources/kubeadm-control-plane";
import { kubeadmInitResource } from "../../../../provider/resources/kubeadm-init";
import { kubeadmJoinResource } from "../../../../provider/resources/kubeadm-join";
import { preflightResource } from "../../../../provider/resources/preflight";
import type { Handler } from "../../../../provider/rpc/handler";
import { silentContext } from "../../../support/context";

const reasons = (handler: Handler, now: object, old: object) =>
  (handler.findImpossibleChanges?.(now, old) ?? []).map(({ path, reason }) => `${path}: ${reason}`);

test("an existing node keeps its container runtime; a rebuilt machine may get another one", () => {
  const old = { instance: "id-1", runtime: "docker" };
  expect(reasons(imagesResource, { instance: "id-1" }, old)).toEqual([
    expect.stringMatching(/^runtime: cannot change from docker to containerd on an existing node; set it back/),
  ]);
  expect(reasons(imagesResource, { instance: "id-2" }, old)).toEqual([]);
  expect(reasons(imagesResource, {}, old)).toEqual([]);
  expect(reasons(imagesResource, old, old)).toEqual([]);
});

test("the ranges and the version of an existing control plane are checked", () => {
  const state = (network: object, version: string) => ({
    instance: "id-1",
    controlPlanes: ["cp-1"],
    documents: [
      {
        kind: "ClusterConfiguration",
        kubernetesVersion: `v${version}`,
        controlPlaneEndpoint: "api.dev.internal:7443",
        networking: network,
      },
    ],
  });
  const old = state({ podSubnet: "10.244.0.0/16", serviceSubnet: "10.10.0.0/16" }, "1.35.4");
  const now = state({ podSubnet: "10.99.0.0/16", serviceSubnet: "10.11.0.0/16" }, "1.34.4");
  expect(reasons(kubeadmInitResource, now, old)).toEqual([
    expect.stringMatching(/^network\.podCidr: cannot change/),
    expect.stringMatching(/^network\.serviceCidr: cannot change/),
  ]);
  expect(reasons(controlPlaneResource, now, old)).toEqual([expect.stringMatching(/cannot be downgraded/)]);
});

test("an existing control plane keeps its address", () => {
  const at = (advertiseAddress: string) => ({
    ...{ instance: "id-1", node: "cp-1" },
    documents: [{ kind: "InitConfiguration", localAPIEndpoint: { advertiseAddress } }],
  });
  const moved = reasons(controlPlaneResource, at("10.0.0.9"), at("10.0.0.8"));
  expect(moved).toEqual([expect.stringMatching(/^machines: the address of control plane cp-1 cannot change from/)]);
});

test("a worker that has joined keeps its address", () => {
  const at = (value: string) => ({
    instance: "id-1",
    document: { nodeRegistration: { name: "worker-1", kubeletExtraArgs: [{ name: "node-ip", value }] } },
  });
  const moved = reasons(kubeadmJoinResource, at("10.0.0.9"), at("10.0.0.8"));
  expect(moved).toEqual([expect.stringMatching(/^machines: the address of worker worker-1 cannot change from/)]);
});

test("one of several control planes stays, whichever it is", () => {
  const machines = (...names: string[]) => ({ machines: names.map((name) => ({ name, role: "control-plane" })) });
  const before = machines("cp-1", "cp-2", "cp-3");
  expect(reasons(preflightResource, machines("cp-7", "cp-8", "cp-9"), before)).toEqual([
    expect.stringMatching(/^controlPlane: none of the control planes cp-1, cp-2, cp-3 stays/),
  ]);
  expect(reasons(preflightResource, machines("cp-3", "cp-4", "cp-5"), before)).toEqual([]);
  expect(reasons(preflightResource, machines("cp-1", "cp-3", "cp-2"), before)).toEqual([]);
  expect(reasons(preflightResource, machines("other"), machines("cp-1"))).toEqual([]);
});

test("the first of several control planes is not replaced", () => {
  const inputs = { controlPlanes: ["cp-1", "cp-2", "cp-3"], instance: "id-1" };
  expect(kubeadmInitResource.isProtected?.(inputs, inputs, silentContext)).toBe(true);
  expect(
    kubeadmInitResource.isProtected?.({ controlPlanes: ["cp-1"] }, { controlPlanes: ["cp-1"] }, silentContext),
  ).toBe(false);
});

describe("a replacement of the only control plane's machine", () => {
  const nodes = (...workers: string[]) => ({ controlPlanes: ["cp-1"], nodes: ["cp-1", ...workers] });
  const old = (...workers: string[]) => ({
    connection: { host: "10.0.0.1", port: 22, user: "root", name: "cp-1" },
    instance: "id-1",
    ...nodes(...workers),
  });
  const refuse = (workers: string[], outputs: Record<string, string>) =>
    kubeadmInitResource.refuseReplacement?.(nodes(...workers), { inputs: old(...workers), outputs });

  test("is refused while there are workers, before anything is deleted", () => {
    expect(() => refuse(["worker-1"], { caCertHash: "sha256:a" })).toThrow(
      /^replacing the cluster failed on cp-1 \(10\.0\.0\.1\):.*left \(worker-1\) would be reset.*npm run down/,
    );
  });

  test("is allowed without other nodes, and before the cluster is initialized", () => {
    expect(() => refuse([], { caCertHash: "sha256:a" })).not.toThrow();
    expect(() => refuse(["worker-1"], {})).not.toThrow();
  });

  test("is not one where the machine was rebuilt at the same address", () => {
    expect(kubeadmInitResource.isProtected?.(nodes("worker-1"), old("worker-1"), silentContext)).toBe(false);
    const rebuilt = { ...old("worker-1"), instance: "id-2" };
    expect(kubeadmInitResource.isProtected?.(rebuilt, old("worker-1"), silentContext)).toBe(true);
  });
});
