import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyManifest, kubectlOf, nodeNames, waitForNodes, type Kubectl } from "../../support/cluster-client";
import { manifest } from "../../support/manifests";
import { TestStack } from "../../support/test-stack";

const LOST = ["control-plane-1", "control-plane-2"];
const LEFT = "control-plane-3";
const WORKER = "worker-1";
/** Aim for the status of a cluster that lost its majority. The time includes that of a busy test host. */
const STATUS_SECONDS = 45;

const stack = new TestStack("e2e-ha-recover");
let kubectl: Kubectl;
let before: { pods: string; ca: string };

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const settings = ["controlPlane.count=3", "workers.count=1", "extras=true"].flatMap((one) => ["--config", one]);
  const { code, text } = await stack.up(...settings);
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  before = { pods: await podsOnWorker(), ca: await caOf(WORKER) };
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

test("the status says within seconds that two of three control planes are lost", async () => {
  for (const name of LOST) {
    const [container = ""] = await stack.containers(name);
    execFileSync("docker", ["rm", "--force", "--volumes", container]);
  }
  const start = Date.now();
  const { code, text } = await stack.npmRun("status");
  const seconds = (Date.now() - start) / 1_000;
  process.stdout.write(`    ${stack.name} │ status after ${seconds.toFixed(1)} s\n`);
  expect(code, text).toBe(3);
  expect(text).toMatch(/2 of 3 control planes do not answer.*npm run recover -- control-plane-3/s);
  expect(seconds).toBeLessThan(STATUS_SECONDS);
});

test("a run initializes no new cluster, and leaves the worker as it is", async () => {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(1);
  // The run ends before anything is initialized: the objects of the lost nodes cannot be deleted without etcd.
  expect(text).toMatch(/2 of 3 control planes do not answer.*no majority.*npm run recover -- control-plane-3/s);
  expect(text).not.toMatch(/Init \S+: kubeadm init/);
  expect(await caOf(WORKER)).toBe(before.ca);
  expect(await stack.on(WORKER, "systemctl is-active kubelet")).toBe("active");
});

test("etcd is recovered on the control plane that is left", async () => {
  const { code, text } = await stack.npmRun("recover", LEFT, "--yes");
  expect(code, text).toBe(0);
  expect(await stack.on(LEFT, "grep -c force-new-cluster /etc/kubernetes/manifests/etcd.yaml || true")).toBe("0");
});

test("the other control planes join again, and the pods of the worker have never stopped", async () => {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  const names = [...LOST, LEFT, WORKER];
  await waitForNodes(kubectl, ...names);
  expect(await nodeNames(kubectl)).toEqual(names);
  expect(await caOf(LOST[0] ?? "")).toBe(before.ca);
  expect(await podsOnWorker()).toBe(before.pods);
  const members = await stack.npmRunQuietly("status", "--json");
  expect(members.text).toMatch(/"members": \[/);
  expect(members.text.match(/"isHealthy": true/g)).toHaveLength(3);
});

async function podsOnWorker(): Promise<string> {
  const path = "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{'\\n'}{end}";
  const pods = await kubectl("get", "pods", "--field-selector", `spec.nodeName=${WORKER}`, "-o", path);
  return pods.split("\n").sort().join("\n");
}

async function caOf(machine: string): Promise<string> {
  return await stack.on(machine, "sha256sum /etc/kubernetes/pki/ca.crt");
}
