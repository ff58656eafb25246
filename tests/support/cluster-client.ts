import { messageOf } from "../../common/errors";
import { run } from "../../common/process";
import { until } from "../../common/wait";
import type { TestStack } from "./test-stack";

/** Runs kubectl and returns its output. */
export type Kubectl = (...args: string[]) => Promise<string>;

/**
 * Returns a function that runs the kubectl of the artifacts.
 * @param ownKubeconfig path of a kubeconfig @default that of the stack's cluster
 */
export async function kubectlOf(stack: TestStack, ownKubeconfig?: string): Promise<Kubectl> {
  const { kubectlPath } = await stack.outputs();
  const kubeconfig = ownKubeconfig ?? (await stack.kubeconfig());
  return async (...args) => {
    const { stdout } = await run(String(kubectlPath), ["--kubeconfig", kubeconfig, ...args]);
    return typeof stdout === "string" ? stdout : "";
  };
}

/** Applies a manifest with `kubectl apply`. */
export async function applyManifest(stack: TestStack, yaml: string): Promise<void> {
  const { kubectlPath } = await stack.outputs();
  const args = ["--kubeconfig", await stack.kubeconfig(), "apply", "-f", "-"];
  await run(String(kubectlPath), args, { input: yaml });
}

/** Returns the names of the nodes, sorted. */
export async function nodeNames(kubectl: Kubectl): Promise<string[]> {
  return (await kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")).split(" ").sort();
}

/** Returns the versions of the kubelets without the prefix `v`, in the order of the nodes' names. */
export async function kubeletVersions(kubectl: Kubectl): Promise<string[]> {
  const versions = await kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}");
  return versions.split(" ").map((version) => version.replace(/^v/, ""));
}

/** Returns the names of the cordoned nodes. */
export async function cordonedNodes(kubectl: Kubectl): Promise<string[]> {
  const path = "jsonpath={.items[?(@.spec.unschedulable==true)].metadata.name}";
  return (await kubectl("get", "nodes", "-o", path)).split(" ").filter(Boolean);
}

/**
 * Waits up to two minutes until the nodes are Ready. After an outage of the API server, up to a minute passes
 * until a kubelet notices that its node counts as unknown.
 */
export async function waitForNodes(kubectl: Kubectl, ...names: string[]): Promise<void> {
  try {
    await kubectl("wait", ...names.map((name) => `node/${name}`), "--for=condition=Ready", "--timeout=120s");
  } catch (error) {
    const one = "{.type} {.status} {.lastHeartbeatTime} {.message}";
    const conditions = `{range .items[*]}{.metadata.name}: {range .status.conditions[*]}${one}; {end}{"\\n"}{end}`;
    const nodes = await kubectl("get", "nodes", "-o", `jsonpath=${conditions}`).catch(messageOf);
    throw new Error(`${messageOf(error)}\n${nodes}`, { cause: error });
  }
}

/** Returns the InternalIP of a node. */
export async function internalAddress(kubectl: Kubectl, node: string): Promise<string> {
  return await kubectl("get", "node", node, "-o", "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}");
}

/** Waits up to two minutes until all pods are running and ready. */
export async function waitForPods(kubectl: Kubectl): Promise<void> {
  // `kubectl wait pods --all` lists the pods once, and then also waits for one that a rollout deletes.
  let unready = "";
  await until(async () => (unready = await unreadyPods(kubectl)) === "" || undefined, {
    signal: AbortSignal.timeout(150_000),
    timeout: 120,
    onTimeout: () => new Error(`not running and ready: ${unready}`),
  });
}

/** Lists the pods that are not running and ready, deleted ones included. */
async function unreadyPods(kubectl: Kubectl): Promise<string> {
  const name = "{.metadata.namespace}/{.metadata.name}";
  const status = "{.status.phase} {.status.conditions[?(@.type=='Ready')].status} {.metadata.deletionTimestamp}";
  const pods = await kubectl("get", "pods", "-A", "-o", `jsonpath={range .items[*]}${name} ${status}{"\\n"}{end}`);
  return pods
    .split("\n")
    .filter((pod) => pod.trim() !== "" && !pod.trimEnd().endsWith("Running True"))
    .join("; ");
}
