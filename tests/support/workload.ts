import { expect } from "vitest";
import { applyManifest, internalAddress, kubectlOf, type Kubectl } from "./cluster-client";
import { LoadClient, waitForAnswers } from "./load-client";
import { manifest } from "./manifests";
import type { TestStack } from "./test-stack";

export interface WorkloadLoad {
  /** Container that sends the requests. */
  container: string;
  /** Node whose port answers. @default worker-1 */
  node?: string;
  /** @default 50 */
  perSecond?: number;
  /** The client ends after this time. @default 3600 */
  seconds?: number;
}

/** Deploys the Deployment `web`, and waits until its pods are ready. */
export async function deployWorkload(stack: TestStack, kubectl: Kubectl): Promise<void> {
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
}

/** Sends requests to the workload all the time, through the port of a node, once all of them are answered. */
export async function startLoad(
  kubectl: Kubectl,
  { container, node = "worker-1", perSecond = 50, seconds = 3_600 }: WorkloadLoad,
): Promise<LoadClient> {
  const url = `http://${await internalAddress(kubectl, node)}:30080/hostname`;
  const spec = { container, url, perSecond, seconds };
  await waitForAnswers({ ...spec, most: 20 });
  return new LoadClient({ ...spec, most: perSecond * seconds });
}

/**
 * Deploys the workload, and sends requests to it from the first control plane through that node's own port, so that
 * they continue while every worker changes.
 */
async function deployUnderLoad(stack: TestStack, kubectl: Kubectl): Promise<LoadClient> {
  await deployWorkload(stack, kubectl);
  const [container = ""] = await stack.containers("control-plane-1");
  return await startLoad(kubectl, { container, node: "control-plane-1" });
}

/** Creates a cluster under load, after what a killed test run has left of it is removed. Settings: `path=value`. */
export async function createUnderLoad(
  stack: TestStack,
  settings: readonly string[],
): Promise<{ kubectl: Kubectl; client: LoadClient }> {
  await stack.down("--force");
  const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
  expect(code, text).toBe(0);
  const kubectl = await kubectlOf(stack);
  return { kubectl, client: await deployUnderLoad(stack, kubectl) };
}
