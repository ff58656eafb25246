import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { controlPlaneMembership } from "../../../../components/steps/kubeadm";

async function membership(init: string, instance: string): Promise<string> {
  const output = controlPlaneMembership(
    { id: pulumi.output(init) } as never,
    { instance: pulumi.output(instance) } as never,
  );
  return await new Promise((resolve) => void output.apply(resolve));
}

test("the node of an older stack keeps its membership: it is not drained for the new KubeadmJoin", async () => {
  expect(await membership("a1/kubeadm-init", "a1")).toBe("a1/kubeadm-init");
});

test("a rebuilt machine has another membership, and so has every control plane that joined", async () => {
  expect(await membership("a1/kubeadm-init", "b2")).toBe("b2/kubeadm-join");
});
