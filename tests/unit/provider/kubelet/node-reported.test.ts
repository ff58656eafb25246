import { beforeEach, expect, test, vi } from "vitest";
import { proveNodeReported, wasReady } from "../../../../provider/kubelet/node-reported";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const STARTED = 1_000;
let machine: MemoryMachine;
let memory: MemoryApi;
let start: string;
let messages: string[];
beforeEach(() => {
  start = `${STARTED}\n`;
  messages = [];
  memory = new MemoryApi();
  machine = new MemoryMachine();
  machine.on(/ActiveEnterTimestampMonotonic/, () => start);
  machine.on(/journalctl/, () => "kubelet: no space left\n");
});

interface Report {
  at: number;
  status?: string;
  version?: string;
}

function report({ at, status = "True", version = "v1.36.3" }: Report): void {
  const lastHeartbeatTime = new Date(at * 1_000);
  const conditions = [{ type: "Ready", status, message: "the network plugin is not ready", lastHeartbeatTime }];
  const nodeInfo = { kubeletVersion: version };
  memory.nodes.set("worker-1", { metadata: { name: "worker-1" }, status: { conditions, nodeInfo } as never });
}

function contextOf() {
  const context = machine.context({ status: (message) => void messages.push(message) });
  context.kube.api = async () => memory.api;
  return context;
}
const node = () => ({ name: "worker-1", controlPlanes: [machine.connection], version: "1.36.3" });
const remote = () => contextOf().connections.get(machine.connection);
const prove = (mustBeReady = true) => settle(proveNodeReported(contextOf(), remote(), node(), mustBeReady));

test("a node that has reported Ready since the kubelet's start is healthy", async () => {
  report({ at: STARTED + 2 });
  await prove();
});

test("a Ready that was reported before the start does not count", async () => {
  report({ at: STARTED - 2 });
  setTimeout(() => report({ at: STARTED + 9 }), 9_000);
  await prove();
  expect(messages).toContain(
    "waiting for kubelet.service to become healthy: its node has not reported since the start",
  );
});

test.each<[string, Report, RegExp]>([
  ["is not Ready", { at: STARTED + 2, status: "False" }, /its node is not Ready: the network plugin is not ready:/],
  ["has another version", { at: STARTED + 2, version: "v1.35.1" }, /its node reports version 1.35.1, not 1.36.3/],
  ["does not report", { at: STARTED - 2 }, /its node has not reported since the start/],
  ["is no longer heard of", { at: STARTED + 2, status: "Unknown" }, /its node has not reported since the start/],
])("a node that %s fails at the deadline, with the kubelet's journal", async (_, state, cause) => {
  report(state);
  const failure = await prove().catch((error: Error) => error.message);
  expect(failure).toMatch(/starting kubelet.service failed on worker-1 .*: it is not healthy after 120 s: /);
  expect(failure).toMatch(cause);
  expect(failure).toContain("kubelet: no space left");
});

test("a node that has not registered, or an API that does not answer, fails at the deadline", async () => {
  await expect(prove()).rejects.toThrow("node worker-1 has not registered");
  memory.inject = () => new Error("connect ECONNREFUSED");
  await expect(prove()).rejects.toThrow("the API server does not answer: connect ECONNREFUSED");
});

test("a node that was not Ready before must report only", async () => {
  report({ at: STARTED - 2, status: "False" });
  expect(await wasReady(contextOf(), remote(), node())).toBe(false);
  setTimeout(() => report({ at: STARTED + 9, status: "False" }), 9_000);
  await prove(false);
});

test("a machine that is no member has no node to prove", async () => {
  start = "";
  memory.inject = () => new Error("must not be called");
  await prove();
  expect(await wasReady(contextOf(), remote(), node())).toBe(true);
});
