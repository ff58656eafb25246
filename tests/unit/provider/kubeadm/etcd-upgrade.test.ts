import { beforeEach, expect, test, vi } from "vitest";
import { probeHealth } from "../../../../provider/host/health";
import { KeptEtcdError, proveEtcdRestored, proveEtcdUpgrade } from "../../../../provider/kubeadm/etcd-upgrade";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", () => ({ probeHealth: vi.fn() }));
useFakeTime();

let machine: MemoryMachine;
let messages: string[];
let answer: string;
beforeEach(() => {
  messages = [];
  answer = "healthy";
  machine = new MemoryMachine().on(/admin\.conf/, () => "yes\n");
  vi.mocked(probeHealth).mockReset();
  vi.mocked(probeHealth).mockImplementation(async () => answer);
});

const PATCH = { from: "3.6.6", to: "3.6.8", logs: "the log" };
const MINOR = { from: "3.5.9", to: "3.6.8", logs: "the log" };
const context = () => machine.context({ status: (message) => void messages.push(message) });
const prove = async (upgrade = PATCH) => {
  const ofMachine = context();
  const remote = ofMachine.connections.get(machine.connection);
  return await settle(proveEtcdUpgrade(ofMachine, remote, upgrade)).catch((error: unknown) => error as Error);
};

test("the API server must be ready with the new etcd for some seconds", async () => {
  answer = "HTTP 500: [-]etcd failed";
  setTimeout(() => (answer = "healthy"), 10_000);
  setTimeout(() => (answer = "HTTP 500: [-]etcd failed"), 11_000);
  setTimeout(() => (answer = "healthy"), 20_000);
  const started = Date.now();
  expect(await prove()).toBeUndefined();
  expect(Date.now() - started).toBeGreaterThanOrEqual(23_000);
  expect(messages).toContain(
    "waiting for kube-apiserver with the new etcd to become healthy: HTTP 500: [-]etcd failed (port 6443, /readyz)",
  );
  expect(vi.mocked(probeHealth).mock.calls[0]?.[1]).toEqual({ scheme: "HTTPS", port: 6443, path: "/readyz" });
});

test("an API server that is not ready with it fails the upgrade of etcd, which may be put back", async () => {
  answer = "HTTP 500: [-]etcd failed";
  const failure = await prove();
  expect(failure?.message).toMatch(/^starting kube-apiserver with the new etcd failed on .* not healthy after 120 s/);
  expect(failure).not.toBeInstanceOf(KeptEtcdError);
});

test("an etcd of another minor version stays, and the error says why and names the snapshot", async () => {
  answer = "HTTP 500: [-]etcd failed";
  const failure = await prove(MINOR);
  expect(failure).toBeInstanceOf(KeptEtcdError);
  expect(failure?.message).toMatch(
    /\netcd was not put back: etcd 3\.5\.9 cannot read the data of etcd 3\.6\.8; see the log .*; .*etcd-snapshots/,
  );
});

test("the previous etcd is proved with the API server too", async () => {
  answer = "HTTP 500: [-]etcd failed";
  const ofMachine = context();
  const remote = ofMachine.connections.get(machine.connection);
  await expect(settle(proveEtcdRestored(ofMachine, remote, PATCH))).rejects.toThrow("with the previous etcd failed");
});

test("nothing is proved where there is no API server", async () => {
  machine.on(/admin\.conf/, () => "");
  expect(await prove()).toBeUndefined();
  expect(probeHealth).not.toHaveBeenCalled();
});
