import "reflect-metadata";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { detachKubelet, restartKubelet, waitForBootstrap } from "../../../../provider/kubelet/run";
import { testContext } from "../../../support/context";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", () => ({ waitUntilHealthy: vi.fn(async () => undefined) }));
useFakeTime();

let warnings: string[];
beforeEach(() => void (warnings = []));
const context = () => testContext({ warn: (text) => void warnings.push(text) });

test("a restart is one command", async () => {
  const machine = new ScriptedMachine(() => ({}));
  await restartKubelet(machine.remote, new AbortController().signal);
  expect(machine.scripts).toEqual(["systemctl restart kubelet"]);
});

describe("a TLS bootstrap", () => {
  const wait = (machine: ScriptedMachine) =>
    waitForBootstrap(context(), machine.remote, { api: new MemoryApi().api, node: "a", token: "x.y", timeout: 60 });

  test("ends once the kubelet has its kubeconfig and certificate", async () => {
    let checks = 0;
    const machine = new ScriptedMachine(() => ({ code: ++checks < 3 ? 1 : 0 }));
    await settle(wait(machine));
    expect(machine.scripts).toHaveLength(3);
    expect(machine.scripts[0]).toContain("kubelet-client-current.pem");
  });

  test("fails at its deadline", async () => {
    const machine = new ScriptedMachine(() => ({ code: 1 }), "worker-1");
    await expect(settle(wait(machine))).rejects.toThrow(
      /TLS bootstrap of the kubelet failed on worker-1: the kubelet has no certificate after 60 s; .*kubectl get csr/,
    );
  });
});

describe("a kubelet that leaves its cluster", () => {
  const detach = (running: () => string) => {
    const machine = new ScriptedMachine(
      (script) => (script.startsWith("ctr") ? { stdout: running() } : {}),
      "worker-1",
    );
    return { machine, done: detachKubelet(context(), machine.remote, { node: "worker-1", files: ["/etc/x y"] }) };
  };

  test("loses its kubeconfig and restarts; its pods from the API stop", async () => {
    let lists = 0;
    const { machine, done } = detach(() => (++lists < 3 ? "web-1\netcd-worker-1\n" : "etcd-worker-1\n"));
    await settle(done);
    expect(machine.scripts[0]).toMatch(/^rm -f '\/etc\/x y' .*kubelet-client-\*\n/);
    // The unit starts the kubelet that an upgrade has staged for the node.
    expect(machine.scripts[0]).toMatch(/\n.* mv -fT \S+kubelet\.next \S+kubelet\nif systemctl is-active/);
    expect(lists).toBe(3);
    expect(warnings).toEqual([]);
  });

  test("warns about pods that do not stop", async () => {
    await settle(detach(() => "web-1\nweb-2\n").done);
    expect(warnings.join()).toMatch(/pods of the cluster are still running: web-1, web-2/);
  });
});
