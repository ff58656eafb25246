import { expect, test } from "vitest";
import { findMovedControlPlane, findMovedWorker } from "../../../../provider/kubeadm/moved-node";
import { initDocuments, joinDocument } from "../../../../render/kubeadm";
import { initOptions } from "../../render/samples";

test("a living control plane keeps its address, and a rebuilt one may have another", () => {
  const at = (address: string, instance = "id-1") => {
    const documents = initDocuments(initOptions({ node: { ...initOptions({}).node, address } }));
    return { node: "cp-1", instance, documents };
  };
  const [problem] = findMovedControlPlane(at("10.0.0.9"), at("10.0.0.8"));
  expect(problem).toMatchObject({
    path: "machines",
    reason: expect.stringMatching(
      /control plane cp-1 cannot change from 10\.0\.0\.8 to 10\.0\.0\.9.*set.*back/,
    ) as string,
  });
  expect(findMovedControlPlane(at("10.0.0.8"), at("10.0.0.8"))).toEqual([]);
  expect(findMovedControlPlane(at("10.0.0.9", "id-2"), at("10.0.0.8"))).toEqual([]);
  expect(findMovedControlPlane({ instance: "id-1" }, at("10.0.0.8"))).toEqual([]);
});

test("a worker that has joined keeps its address, and a rebuilt one may have another", () => {
  const at = (address: string, instance = "id-1") => {
    const node = { ...initOptions({}).node, name: "worker-1", address };
    return { instance, document: joinDocument({ node, apiServerEndpoint: "10.0.0.2:6443" }) };
  };
  const [problem] = findMovedWorker(at("10.0.0.9"), at("10.0.0.8"));
  expect(problem).toMatchObject({
    path: "machines",
    reason: expect.stringMatching(/worker worker-1 cannot change from 10\.0\.0\.8 to 10\.0\.0\.9, .*kubelet/) as string,
  });
  expect(findMovedWorker(at("10.0.0.8"), at("10.0.0.8"))).toEqual([]);
  expect(findMovedWorker(at("10.0.0.9", "id-2"), at("10.0.0.8"))).toEqual([]);
  expect(findMovedWorker({ instance: "id-1" }, at("10.0.0.8"))).toEqual([]);
});
