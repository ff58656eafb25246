import { expect, test } from "vitest";
import { findImpossibleChanges, findUnknownGate } from "../../../../provider/kubelet/impossible-changes";

const ranges = { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" };
const joined = { instance: "id-1", endpoint: "10.0.0.1:6443", ranges };
const pathsOf = (now: Parameters<typeof findImpossibleChanges>[0], old = joined) =>
  findImpossibleChanges(now, old).map(({ path }) => path);

test("the ranges and the endpoint of a cluster that was built by components cannot change", () => {
  expect(pathsOf({ ...joined, ranges: { ...ranges, podCidr: "10.99.0.0/16" } })).toEqual(["network.podCidr"]);
  expect(pathsOf({ ...joined, ranges: { ...ranges, serviceCidr: "10.99.0.0/16" } })).toEqual(["network.serviceCidr"]);
  expect(findImpossibleChanges({ ...joined, endpoint: "api:6443" }, joined)).toEqual([
    {
      path: "controlPlane.endpoint",
      reason: expect.stringMatching(/^cannot change from 10\.0\.0\.1:6443 to api:6443 .*`npm run down`/) as string,
    },
  ]);
});

test("an unchanged cluster, a rebuilt machine, other machines and states of older versions are accepted", () => {
  const changed = { ...joined, endpoint: "api:6443", ranges: { podCidr: "a", serviceCidr: "b" } };
  const { ranges: _, ...withoutRanges } = joined;
  expect(pathsOf(joined)).toEqual([]);
  expect(pathsOf({ ...changed, instance: "id-2" })).toEqual([]);
  expect(pathsOf({ ranges: changed.ranges })).toEqual([]);
  expect(pathsOf({ ...withoutRanges, endpoint: "api:6443" })).toEqual([]);
  expect(pathsOf(changed, withoutRanges as typeof joined)).toEqual([]);
});

test("a kubelet of Docker must not get a feature gate before the program that knows it", () => {
  const unit = (gate: boolean, socket = "unix:///run/cri-dockerd.sock") => ({
    instance: "id-1",
    keepsProgram: true,
    files: {
      "/etc/kubernetes/kubelet.conf.d/10-kubewright.conf": {
        content: gate ? "featureGates: {ExtendWebSocketsToKubelet: false}" : "",
        mode: "0600",
      },
      "/var/lib/kubelet/config.yaml": { content: `containerRuntimeEndpoint: ${socket}`, mode: "0600" },
    },
  });
  const old = unit(false);
  expect(findUnknownGate(unit(true), old)).toEqual([
    { path: "kubernetes.version", reason: expect.stringMatching(/1\.36\.0 or later with runtime docker/) as string },
  ]);
  expect(findUnknownGate(unit(false), old)).toEqual([]);
  expect(findUnknownGate(unit(true), unit(true))).toEqual([]);
  expect(findUnknownGate(unit(true, "unix:///run/containerd/containerd.sock"), old)).toEqual([]);
  // Without a node, the unit starts the new program with the gate.
  expect(findUnknownGate({ ...unit(true), keepsProgram: undefined }, old)).toEqual([]);
  expect(findUnknownGate({ ...unit(true), instance: "id-2" }, old)).toEqual([]);
  expect(findUnknownGate({ instance: "id-1", keepsProgram: true }, old)).toEqual([]);
});
