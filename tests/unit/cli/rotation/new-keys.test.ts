import { expect, test, vi } from "vitest";
import type { Stack } from "@pulumi/pulumi/automation";
import { readKeys } from "../../../../cli/rotation/new-keys";
import type { Remote } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const signal = new AbortController().signal;

async function keysWith({ security, applied }: { security?: object; applied?: string }): Promise<string | undefined> {
  const machine = new MemoryMachine();
  const algorithm = applied ? `encryptionAlgorithm: ${applied}\n` : "";
  const content = `kind: InitConfiguration\n---\nkind: ClusterConfiguration\n${algorithm}`;
  machine.files.set("/etc/kubernetes/kubewright-cluster.yaml", { content, mode: "0600" });
  const config = security ? { "kubewright:security": { value: JSON.stringify(security), secret: false } } : {};
  const stack = { getAllConfig: vi.fn(async () => config) } as unknown as Stack;
  return await readKeys(stack, [machine as unknown as Remote], signal);
}

test("the stack's configuration decides, RSA-2048 too", async () => {
  expect(await keysWith({ security: { certificateKeys: "RSA-4096" } })).toBe("RSA-4096");
  const changed = { security: { certificateKeys: "RSA-2048" }, applied: "ECDSA-P256" };
  expect(await keysWith(changed)).toBe("RSA-2048");
});

test("otherwise what a program has applied to the control plane", async () => {
  expect(await keysWith({ security: { audit: { enabled: true } }, applied: "ECDSA-P256" })).toBe("ECDSA-P256");
});

test("otherwise nothing is chosen", async () => {
  expect(await keysWith({})).toBeUndefined();
});
