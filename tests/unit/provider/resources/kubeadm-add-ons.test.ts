import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { addOnsResource } from "../../../../provider/resources/kubeadm-add-ons";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();
// A module that is loaded under fake timers would use up fake time.
beforeAll(async () => void (await import("@kubernetes/client-node")));

const workload = (name: string, image: string, status: object) => ({
  metadata: { generation: 1 },
  spec: { replicas: 2, template: { spec: { containers: [{ name, image }] } } },
  status: { observedGeneration: 1, ...status },
});
type Workload = ReturnType<typeof workload>;

let kubeProxy: Workload;
let coreDns: Workload;
let patched: string[];
let refusal: Error | undefined;
beforeEach(() => {
  const pods = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 };
  kubeProxy = workload("kube-proxy", "kube-proxy:v1", pods);
  coreDns = workload("coredns", "coredns:v1", { replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
  patched = [];
  refusal = undefined;
});

/** Applies a patch; the pods of the new image are ready after ten seconds. */
function patch(
  live: Workload,
  body: { spec: { template: { spec: { containers: { name: string; image: string }[] } } } },
) {
  const [container] = body.spec.template.spec.containers;
  patched.push(container!.image);
  live.spec.template.spec.containers = [container!];
  const status = { ...live.status };
  Object.assign(live.status, { observedGeneration: 1, updatedNumberScheduled: 1, updatedReplicas: 1 });
  setTimeout(() => Object.assign(live.status, status), 10_000);
}

const inputs = {
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  caCertHash: "sha256:1",
  kubeProxy: "kube-proxy:v1",
  coreDns: "coredns:v1",
  timeout: 60,
};
function context() {
  const apps = {
    readNamespacedDaemonSet: async () => structuredClone(kubeProxy),
    readNamespacedDeployment: async () => structuredClone(coreDns),
    patchNamespacedDaemonSet: async ({ body }: { body: never }) => patch(kubeProxy, body),
    patchNamespacedDeployment: async ({ body }: { body: never }) => patch(coreDns, body),
  };
  const found = testContext();
  found.kube.api = async () => (refusal ? Promise.reject(refusal) : ({ apps, patience: 1 } as never));
  return found;
}
const update = (changes: object) =>
  settle(addOnsResource.update!(context(), "id", { ...inputs, ...changes }, { inputs, outputs: {} }));

describe("an upgrade", () => {
  test("changes the images one after the other, each until all its pods are ready", async () => {
    const start = Date.now();
    await update({ kubeProxy: "kube-proxy:v2", coreDns: "coredns:v2" });
    expect(patched).toEqual(["kube-proxy:v2", "coredns:v2"]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(20_000);
  });

  test("leaves an add-on alone that has its image, also where a pod is not ready", async () => {
    Object.assign(kubeProxy.status, { numberAvailable: 2 });
    await update({});
    expect(patched).toEqual([]);
  });

  test("fails at the deadline with the pods that are not ready", async () => {
    await expect(update({ kubeProxy: "kube-proxy:v2", timeout: 5 })).rejects.toThrow(
      /replacing kube-proxy failed.*1 of 3 pods have the new image, 3 are ready after 5 s/,
    );
    expect(patched).toEqual(["kube-proxy:v2"]);
  });
});

test("a refresh reads the images, and keeps the recorded ones while no control plane answers", async () => {
  coreDns = workload("coredns", "coredns:other", {});
  const read = () => addOnsResource.read!(context(), "id", { inputs, outputs: {} });
  expect((await read())?.inputs).toEqual({ ...inputs, coreDns: "coredns:other" });
  refusal = new StepError({ step: "connecting to the Kubernetes API", cause: "connect ETIMEDOUT" });
  expect((await read())?.inputs).toEqual(inputs);
});
