import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { rolloutResource } from "../../../../provider/resources/rollout";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();
// A module that is loaded under fake timers would use up fake time.
beforeAll(async () => void (await import("@kubernetes/client-node")));

interface Deployment {
  metadata: { generation: number };
  spec: { replicas: number };
  status: {
    observedGeneration: number;
    availableReplicas: number;
    replicas?: number;
    updatedReplicas?: number;
    conditions: { type: string; status: string }[];
  };
}

let deployment: Deployment | undefined;
let patches: unknown[];
let refusal: Error | undefined;
let statuses: string[];
beforeEach(() => {
  deployment = deploymentWith(2);
  patches = [];
  refusal = undefined;
  statuses = [];
});

function deploymentWith(available: number, observedGeneration = 1): Deployment {
  const conditions = [{ type: "Available", status: available > 0 ? "True" : "False" }];
  return {
    metadata: { generation: 1 },
    spec: { replicas: 2 },
    status: { observedGeneration, availableReplicas: available, conditions },
  };
}

const apps = {
  async patchNamespacedDeployment(request: unknown) {
    if (refusal) throw refusal;
    patches.push(request);
    // The controller observes the new generation later.
    deployment!.metadata.generation++;
  },
  async readNamespacedDeployment() {
    if (refusal) throw refusal;
    if (!deployment) throw httpError(404, "not found");
    return structuredClone(deployment);
  },
};
const patch = { spec: { replicas: 3 } };
const inputs = {
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  caCertHash: "sha256:1",
  namespace: "kube-system",
  deployment: "coredns",
  timeout: 60,
};

function contextOf() {
  const context = testContext({ status: (message) => void statuses.push(message) });
  context.kube.api = async () => ({ apps, patience: 1 }) as never;
  return context;
}
const create = (changes: object = {}) => settle(rolloutResource.create(contextOf(), { ...inputs, ...changes }));

test("a rollout without a patch changes nothing, and waits until the Deployment is Available", async () => {
  deployment = deploymentWith(0);
  setTimeout(() => (deployment = deploymentWith(1)), 3_000);
  expect(await create()).toEqual({ id: "kube-system/coredns", outputs: {} });
  expect(patches).toEqual([]);
  expect(statuses).toContain("waiting for kube-system/coredns to be Available: 0 of 2 replicas are available");
});

test("with a revision, all pods must have the Deployment's current template", async () => {
  Object.assign(deployment!.status, { replicas: 3, updatedReplicas: 1 });
  setTimeout(() => Object.assign(deployment!.status, { updatedReplicas: 2 }), 3_000);
  setTimeout(() => Object.assign(deployment!.status, { replicas: 2 }), 6_000);
  const start = Date.now();
  await create({ revision: "coredns:v1.14.2" });
  expect(Date.now() - start).toBeGreaterThanOrEqual(6_000);
  expect(statuses.at(-1)).toMatch(/2 of 2 replicas are available, \d have the current template$/);
});

test("a patched Deployment counts as Available only once its controller has seen the patch", async () => {
  let observed = false;
  setTimeout(() => {
    observed = true;
    deployment!.status.observedGeneration = 2;
  }, 5_000);
  expect(await settle(rolloutResource.update!(contextOf(), "id", { ...inputs, patch }, {} as never))).toEqual({});
  expect(observed).toBe(true);
  expect(patches).toEqual([{ namespace: "kube-system", name: "coredns", body: patch }]);
});

test.each([
  ["too few replicas", () => (deployment = deploymentWith(0)), "0 of 2 replicas are available"],
  ["no Deployment", () => (deployment = undefined), "the Deployment does not exist"],
  ["no answer", () => (refusal = httpError(503, "starting")), "the API server does not answer: starting"],
])("a rollout that times out names the cause (%s) and the command that shows more", async (_, prepare, cause) => {
  prepare();
  await expect(create()).rejects.toThrow(
    `waiting for kube-system/coredns failed: ${cause}; see \`kubectl -n kube-system describe deployment coredns\``,
  );
});

test("a patch that the API server refuses fails immediately", async () => {
  refusal = httpError(422, "spec.replicas is invalid");
  await expect(create({ patch })).rejects.toThrow("patching kube-system/coredns failed: spec.replicas is invalid");
});

test.each([
  ["has the patch", { spec: { replicas: 2 } }, false],
  ["lacks it", { spec: { replicas: 3 } }, true],
])("an adoption of a Deployment that %s patches nothing", async (_what, wanted, isUnfinished) => {
  const adopted = await settle(rolloutResource.adopt!(contextOf(), { ...inputs, patch: wanted }));
  expect(adopted).toEqual({ id: "kube-system/coredns", outputs: {}, isUnfinished });
  expect(patches).toEqual([]);
});

test("an adoption of a missing Deployment leaves it to the next update", async () => {
  deployment = undefined;
  expect(await settle(rolloutResource.adopt!(contextOf(), inputs))).toMatchObject({ isUnfinished: true });
});
