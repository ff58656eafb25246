import { afterAll, beforeAll, expect, test } from "vitest";
import { applyManifest, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { manifest } from "../../support/manifests";
import { TestStack } from "../../support/test-stack";

const WORKERS = ["worker-1", "worker-2"];
const PODS = 300;
/** A kubelet's own limit. */
const DEFAULT_MAX_PODS = 110;

const stack = new TestStack("e2e-many-pods");
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "extras=true", "--config", "workers.kubelet.maxPods=250");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

test(`${PODS} pods on two workers`, async () => {
  const start = Date.now();
  await applyManifest(stack, manifest("many.yaml"));
  await kubectl("rollout", "status", "deploy/many", "--timeout=600s");
  const seconds = Math.round((Date.now() - start) / 1000);
  const placement = await kubectl("get", "pods", "-l", "app=many", "-o", "jsonpath={.items[*].spec.nodeName}");
  const counts = WORKERS.map((name) => placement.split(" ").filter((node) => node === name).length);
  process.stdout.write(`    e2e-many-pods │ ${PODS} pods Running after ${seconds} s: ${counts.join(" and ")}\n`);
  expect(counts.reduce((sum, count) => sum + count)).toBe(PODS);
  expect(Math.max(...counts)).toBeGreaterThan(DEFAULT_MAX_PODS);
});
