import { expect, test, vi } from "vitest";
import { detachResources } from "../../../../cli/engine/detach";
import { fakeStack, urnOf } from "../fake-stack";

const node = (name: string) => urnOf("kubewright:kube:Node", `${name}-node`);
const join = (name: string) => urnOf("kubewright:kubeadm:Join", `${name}-join`);

/** A control plane, and a worker whose node depends on the control plane's. */
const resources = [
  { type: "kubewright:kubeadm:Join", name: "control-plane-2-join" },
  { type: "kubewright:kube:Node", name: "control-plane-2-node", dependencies: [join("control-plane-2")] },
  { type: "kubewright:kubeadm:Join", name: "worker-1-join" },
  {
    type: "kubewright:kube:Node",
    name: "worker-1-node",
    dependencies: [join("worker-1"), node("control-plane-2")],
    propertyDependencies: { membership: [join("worker-1")], controlPlanes: [node("control-plane-2")] },
  },
];

function detach(...urns: string[]) {
  const importStack = vi.fn(async (_state: object) => undefined);
  return { importStack, done: detachResources(fakeStack(resources, { importStack }), urns) };
}

test("other resources no longer depend on a node that is removed, and keep their other dependencies", async () => {
  const { importStack, done } = detach(join("control-plane-2"), node("control-plane-2"));
  await done;
  const [[state] = []] = importStack.mock.calls;
  expect(state).toMatchObject({
    version: 3,
    deployment: {
      resources: [
        { urn: join("control-plane-2") },
        // Among the removed resources the order of the deletions stays.
        { urn: node("control-plane-2"), dependencies: [join("control-plane-2")] },
        { urn: join("worker-1") },
        {
          urn: node("worker-1"),
          dependencies: [join("worker-1")],
          propertyDependencies: { membership: [join("worker-1")], controlPlanes: [] },
        },
      ],
    },
  });
});

test("the state of a node on which no other resource depends is not written", async () => {
  const { importStack, done } = detach(node("worker-1"), join("worker-1"));
  await done;
  expect(importStack).not.toHaveBeenCalled();
});
