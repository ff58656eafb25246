import { expect, test, vi } from "vitest";
import { machineState } from "../../../../cli/engine/state";
import { resetMachine } from "../../../../cli/nodes/reset";
import { type FakeResource, fakeSession, fakeStack, urnOf } from "../fake-stack";

const runOperation = vi.hoisted(() => vi.fn(async () => undefined));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation }));

const host: FakeResource = { type: "kubewright:host:Host", name: "control-plane-2-host" };
const controlPlane: FakeResource = { type: "kubewright:kube:Node", name: "control-plane-2-node" };
const worker: FakeResource = {
  type: "kubewright:kube:Node",
  name: "worker-1-node",
  dependencies: [urnOf("kubewright:kube:Node", "control-plane-2-node")],
};

test("a control plane is reset although workers' nodes depend on it, and only its resources are deleted", async () => {
  const importStack = vi.fn(async () => undefined);
  const stack = fakeStack([host, controlPlane, worker], { importStack });
  await resetMachine(stack, await machineState(stack, "control-plane-2"), fakeSession());
  const target = [urnOf("kubewright:kube:Node", "control-plane-2-node")];
  expect(runOperation).toHaveBeenCalledExactlyOnceWith(stack, "destroy", expect.anything(), { target });
  const [written = 0, destroyed = 0] = [importStack, runOperation].map(({ mock }) => mock.invocationCallOrder[0]);
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(destroyed);
});
