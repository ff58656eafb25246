import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitForNodes } from "../../support/cluster-client";
import { RotatedCluster } from "../../support/rotated-cluster";

const CONTROL_PLANE = "control-plane-1";
const NODES = [CONTROL_PLANE, "worker-1"];
const BUNDLES = ["ca.crt", "etcd/ca.crt", "front-proxy-ca.crt", "sa.pub"];

const cluster = new RotatedCluster("e2e-rotate-ca");
const { stack } = cluster;
const folder = mkdtempSync(join(tmpdir(), "kubewright-rotate-"));
/** A copy of the kubeconfig from before the rotation. */
const oldKubeconfig = join(folder, "old.conf");
let before: string;

beforeAll(async () => {
  await cluster.create();
  writeFileSync(oldKubeconfig, await cluster.kubeconfigText(), { mode: 0o600 });
  before = await stack.on(CONTROL_PLANE, "cat /etc/kubernetes/pki/ca.crt");
});
afterAll(async () => {
  await cluster.remove();
  rmSync(folder, { recursive: true, force: true });
});

test("a plan changes nothing", async () => {
  const { code, text } = await stack.npmRun("rotate-ca", "--plan");
  expect(code, text).toBe(0);
  expect(text).toContain("Begin phase 1 of 3, trust");
  expect(await stack.on(CONTROL_PLANE, "ls /var/lib/kubewright")).not.toContain("ca-rotation");
});

test("phase 1: everything trusts both", async () => {
  await cluster.rotate("trust");
  for (const file of BUNDLES) expect(await cluster.count(CONTROL_PLANE, file)).toBe(2);
  expect(await cluster.count("worker-1", "ca.crt")).toBe(2);
  await cluster.kubectl("--kubeconfig", oldKubeconfig, "get", "nodes");
});

test("a worker joins in the middle of a rotation", async () => {
  const { code, text } = await stack.up("--yes", "--config", "workers.count=2");
  expect(code, text).toBe(0);
  await waitForNodes(cluster.kubectl, ...NODES, "worker-2");
  expect(await cluster.count("worker-2", "ca.crt")).toBe(2);
});

test("phase 2, killed while an API server restarts, is continued by the next run", async () => {
  await cluster.restartWorkload();
  let text = "";
  let isKilled = false;
  const onText = (chunk: string) => {
    text += chunk;
    if (isKilled || !/replacing the CAs of kube-apiserver \(reissue\)/.test(text)) return;
    isKilled = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  };
  const { child } = await stack.startCommand("rotate-ca", onText, "--yes");
  await child;
  expect(isKilled, text).toBe(true);
  const plan = await stack.npmRun("rotate-ca", "--plan");
  expect(plan.text).toContain("Continue phase 2 of 3, reissue");
  await cluster.rotate("reissue");
  const issuer = "openssl verify -CAfile /tmp/new.crt /etc/kubernetes/pki/apiserver.crt";
  const first = "awk '1; /END CERTIFICATE/ {exit}' /etc/kubernetes/pki/ca.crt > /tmp/new.crt";
  expect(await stack.on(CONTROL_PLANE, `${first} && ${issuer}`)).toContain("OK");
});

test("phase 3 is refused while pods have tokens of the previous key, and changes nothing", async () => {
  const { code, text } = await stack.npmRun("rotate-ca", "--yes");
  expect(code).toBe(1);
  expect(text).toMatch(/pods may have tokens that it has signed: default\/web/);
  expect(await cluster.count(CONTROL_PLANE, "sa.pub")).toBe(2);
});

test("phase 3: only the new CAs are left, and the previous client certificate is refused", async () => {
  await cluster.restartWorkload();
  await cluster.rotate("drop");
  for (const file of BUNDLES) expect(await cluster.count(CONTROL_PLANE, file)).toBe(1);
  const old = cluster.kubectl("--kubeconfig", oldKubeconfig, "--insecure-skip-tls-verify", "get", "nodes");
  await expect(old).rejects.toThrow(/Unauthorized|must be logged in|certificate/);
  expect(await stack.on(CONTROL_PLANE, "cat /etc/kubernetes/pki/ca.crt")).not.toBe(before);
  expect(await stack.on(CONTROL_PLANE, "ls /etc/kubernetes/pki /var/lib/kubewright")).not.toMatch(
    /signing|ca-rotation/,
  );
});

test("logs and exec work on every node, whose kubelets serve certificates of the new CA", async () => {
  const { code, text } = await stack.npmRun("check");
  expect(code, text).toBe(0);
});

test("a worker joins after the rotation, and the cluster is still the same for an update", async () => {
  const { code, text } = await stack.up("--yes", "--config", "workers.count=3");
  expect(code, text).toBe(0);
  await waitForNodes(cluster.kubectl, ...NODES, "worker-2", "worker-3");
  expect((await stack.up("--refresh")).text).toContain("Nothing to change");
});
