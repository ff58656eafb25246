import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../common/wait";
import type { ClusterStatus } from "../../../cli/nodes/cluster-status";
import { kubectlOf, type Kubectl } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANE = "control-plane-1";
const LEAVES = [
  ...["apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "front-proxy-client"],
  ...["etcd/healthcheck-client", "etcd/peer", "etcd/server"],
  ...["admin.conf", "controller-manager.conf", "scheduler.conf", "super-admin.conf"],
];

const stack = new TestStack("e2e-certificates");
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "workers.count=1");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

async function status(): Promise<ClusterStatus> {
  const { text } = await stack.npmRunQuietly("status", "--json");
  return JSON.parse(text.slice(text.indexOf("\n{"))) as ClusterStatus;
}

/** Lets kubeadm issue leaves that are valid for minutes. */
async function shortenLeaves(minutes: number): Promise<void> {
  await stack.on(
    CONTROL_PLANE,
    `set -e
sed 's/^kind: ClusterConfiguration$/&\\ncertificateValidityPeriod: ${minutes}m0s/' \\
  /etc/kubernetes/kubewright-cluster.yaml > /tmp/short.yaml
kubeadm certs renew all --config /tmp/short.yaml`,
  );
}

test("status knows every certificate on every machine", async () => {
  const { certificates, healthy } = await status();
  const namesOn = (machine: string, kind: string) =>
    certificates.filter((one) => one.node === machine && one.kind === kind).map(({ name }) => name);
  expect(namesOn(CONTROL_PLANE, "leaf").sort()).toEqual([...LEAVES].sort());
  expect(namesOn(CONTROL_PLANE, "authority").sort()).toEqual(["ca", "etcd/ca", "front-proxy-ca"]);
  const rotated = ["kubelet client", "kubelet serving"];
  for (const node of [CONTROL_PLANE, "worker-1"]) expect(namesOn(node, "rotated").sort()).toEqual(rotated);
  expect(namesOn("worker-1", "authority")).toEqual(["ca"]);
  expect(await stack.on("worker-1", "grep rotateCertificates /var/lib/kubelet/config.yaml")).toContain("true");
  expect(healthy).toBe(true);
  await stack.npmRun("status", "--certificates");
});

async function waitFor(what: string, isDone: () => Promise<boolean>): Promise<void> {
  await until(async () => ((await isDone()) ? true : undefined), {
    signal: new AbortController().signal,
    timeout: 400,
    every: 5_000,
    onTimeout: () => new Error(`still waiting until ${what}`),
  });
}

test("leaves that end soon are drift, and a preview says what their renewal restarts", async () => {
  await shortenLeaves(5);
  await waitFor("certificates end soon", async () =>
    (await status()).certificates.some(({ kind, state }) => kind === "leaf" && state === "soon"),
  );
  // A run that reads the machines records the time of the renewal, as a run does that issues certificates.
  expect((await stack.pulumi("refresh", "--yes")).code).toBe(0);
  const drift = await stack.npmRun("drift");
  expect(drift.code).toBe(2);
  expect(drift.text).toMatch(/certificates .*apiserver.* end, the first in \d minutes?/);
  const preview = await stack.npmRun("preview");
  expect(preview.code).toBe(2);
  expect(preview.text).toMatch(/the API server of control-plane-1 restarts/);
});

test("when they have ended, the status says what to do", async () => {
  await waitFor("certificates have ended", async () => {
    const { code, text } = await stack.npmRunQuietly("status");
    return code === 3 && text.includes("certificate has expired; run `npm start` without --refresh");
  });
});

test("the next run renews them, although the API does not answer, and kubeconfigs follow", async () => {
  const started = Date.now();
  const { code, text } = await stack.up("--yes");
  expect(code, text).toBe(0);
  console.log(`renewed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const { certificates, healthy, problems } = await status();
  expect(problems).toEqual([]);
  expect(healthy).toBe(true);
  expect(certificates.filter(({ kind, daysLeft }) => kind === "leaf" && daysLeft < 300)).toEqual([]);
  const adminConf = await stack.on(CONTROL_PLANE, "cat /etc/kubernetes/admin.conf");
  const certificateIn = (kubeconfig: string) => /client-certificate-data: (\S+)/.exec(kubeconfig)?.[1];
  expect(certificateIn(readFileSync(await stack.kubeconfig(), "utf8"))).toBe(certificateIn(adminConf));
  await kubectl("create", "deployment", "after", "--image=registry.k8s.io/pause:3.10.1", "--replicas=1");
  await kubectl("wait", "--for=create", "pod", "-l", "app=after", "--timeout=60s");
});

test("nothing is left to do", async () => {
  const preview = await stack.npmRun("preview", "--refresh");
  expect(preview.code, preview.text).toBe(0);
});
