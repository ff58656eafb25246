import { beforeEach, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import { waitUntilHealthy } from "../../../../provider/host/health";
import { readMembership } from "../../../../provider/kubeadm/membership";
import { waitForNodeAfterOutage } from "../../../../provider/kubeadm/node-after-outage";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubeadm/membership", () => ({ readMembership: vi.fn() }));
vi.mock("../../../../provider/host/health", () => ({ waitUntilHealthy: vi.fn() }));
useFakeTime();

let machine: MemoryMachine;
let memory: MemoryApi;
let renewTime: number;
let isAway: boolean;
let isLeaseAway: boolean;
/** Number of times that no client for the lease can be created. */
let failedClients: number;
let messages: string[];
let warnings: string[];
let abort: AbortController;
beforeEach(() => {
  machine = new MemoryMachine();
  memory = new MemoryApi();
  memory.inject = () => (isAway ? new Error("connect ECONNREFUSED") : undefined);
  failedClients = 0;
  [renewTime, isAway, isLeaseAway, messages, warnings, abort] = [1, false, false, [], [], new AbortController()];
  vi.mocked(waitUntilHealthy).mockReset();
  vi.mocked(readMembership).mockResolvedValue({ node: "cp-1", caCertHash: "sha256:1" });
});

function report(status: string): void {
  const conditions = [{ type: "Ready", status, message: "Kubelet stopped posting node status." }];
  memory.nodes.set("cp-1", { metadata: { name: "cp-1" }, status: { conditions } });
}

const read = async () => {
  if (isAway || isLeaseAway) throw new Error("connect ECONNREFUSED");
  return { spec: { renewTime } };
};

/** @returns seconds of the wait */
async function wait(): Promise<number> {
  const context = machine.context({
    signal: abort.signal,
    status: (message) => void messages.push(message),
    warn: (message) => void warnings.push(message),
  });
  let clients = 0;
  context.kube.api = async () => {
    // The node is read with one client, and its lease with the next one.
    if (++clients % 2 === 0 && failedClients-- > 0) throw new Error("the connection was lost");
    return { ...memory.api, objects: { read } } as unknown as KubeApi;
  };
  const started = Date.now();
  await settle(waitForNodeAfterOutage(context, context.connections.get(machine.connection)));
  return (Date.now() - started) / 1_000;
}

test("a node is known again when its kubelet has renewed its lease and the node stays Ready", async () => {
  report("True");
  setTimeout(() => (renewTime = 2), 8_000);
  const seconds = await wait();
  expect(seconds).toBeGreaterThanOrEqual(14);
  expect(seconds).toBeLessThan(16);
  expect(messages).toContain(
    "waiting for node cp-1 to become healthy: its kubelet has not renewed its lease since the API server answers again",
  );
  expect(warnings).toEqual([]);
});

test("a lease of before the outage does not count", async () => {
  report("True");
  isAway = true;
  setTimeout(() => (isAway = false), 5_000);
  setTimeout(() => (renewTime = 2), 20_000);
  expect(await wait()).toBeGreaterThanOrEqual(26);
  expect(messages).toContain(
    "waiting for node cp-1 to become healthy: the API server does not answer: connect ECONNREFUSED",
  );
});

test("a lease that cannot be read is not a renewed one", async () => {
  report("True");
  setTimeout(() => (isLeaseAway = true), 1_000);
  setTimeout(() => (isLeaseAway = false), 15_000);
  setTimeout(() => (renewTime = 2), 20_000);
  expect(await wait()).toBeGreaterThanOrEqual(26);
});

test("a connection that ends between two requests does not end the wait", async () => {
  report("True");
  setTimeout(() => (renewTime = 2), 8_000);
  failedClients = 1;
  expect(await wait()).toBeGreaterThanOrEqual(14);
  expect(warnings).toEqual([]);
});

test("an unknown node is waited for, and one that becomes unknown only then too", async () => {
  report("True");
  setTimeout(() => (renewTime = 2), 1_000);
  setTimeout(() => report("Unknown"), 4_000);
  setTimeout(() => report("True"), 40_000);
  expect(await wait()).toBeGreaterThanOrEqual(46);
  expect(messages).toContain("waiting for node cp-1 to become healthy: Kubelet stopped posting node status.");
});

test("a node that its kubelet reports as not Ready has another cause, and is not waited for", async () => {
  report("False");
  setTimeout(() => (renewTime = 2), 1_000);
  expect(await wait()).toBeLessThan(10);
});

test("at the deadline it is a warning, because the API server is healthy", async () => {
  report("Unknown");
  expect(await wait()).toBeLessThan(125);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^worker-1 .*: the control plane has not recovered .* 120 s: Kubelet stopped.*; see `kubectl/,
    ),
  ]);
});

test("Ctrl-C ends the wait", async () => {
  report("Unknown");
  setTimeout(() => abort.abort(new Error("interrupted")), 5_000);
  await expect(wait()).rejects.toThrow("interrupted");
  expect(warnings).toEqual([]);
});

test("a machine that is no member has no node", async () => {
  vi.mocked(readMembership).mockResolvedValue(undefined);
  expect(await wait()).toBeLessThan(1);
  expect(memory.calls).toEqual([]);
});

test("the machine's controller manager and scheduler must be healthy first", async () => {
  report("True");
  renewTime = 1;
  setTimeout(() => (renewTime = 2), 1_000);
  const probe = { httpGet: { host: "127.0.0.1", path: "/healthz", port: 10257, scheme: "HTTPS" } };
  const manifest = { spec: { containers: [{ name: "kube-controller-manager", livenessProbe: probe }] } };
  const content = JSON.stringify(manifest);
  machine.files.set("/etc/kubernetes/manifests/kube-controller-manager.yaml", { content, mode: "0600" });
  vi.mocked(waitUntilHealthy).mockImplementation(async () => {
    expect(memory.calls).toEqual([]);
  });
  await wait();
  expect(vi.mocked(waitUntilHealthy).mock.calls.map(([, , name, endpoint]) => [name, endpoint.port])).toEqual([
    ["kube-controller-manager", 10257],
  ]);
});
