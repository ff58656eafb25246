import { describe, expect, test, vi } from "vitest";
import { resetNode } from "../../../../provider/kubeadm/reset";
import { settle, useFakeTime } from "../../../support/fake-time";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;

function reset(etcd: string, others: readonly ScriptedMachine[] = [], abandoned = false) {
  const machine = new ScriptedMachine((script) => (script.startsWith("sed") ? { stdout: etcd } : {}), "cp-3");
  const done = resetNode(machine.remote, {
    signal,
    status: () => undefined,
    warn: () => undefined,
    others: others.map(({ remote }) => remote),
    abandoned,
  });
  return { machine, done };
}

const isReset = ({ scripts }: ScriptedMachine) => scripts.some((script) => script.includes("kubeadm reset --force"));

describe("a reset", () => {
  test("of a worker runs kubeadm reset and deletes the leftovers", async () => {
    const { machine, done } = reset("");
    await done;
    expect(isReset(machine)).toBe(true);
    expect(machine.scripts.join()).toContain("/var/lib/kubewright/kubeadm");
    expect(machine.scripts.join()).toMatch(/^rm -f \/run\/kubewright-kubeadm\.lock$/m);
  });

  test("waits for an earlier kubeadm with the machine's patience", async () => {
    const machine = new ScriptedMachine(() => ({}));
    machine.patience = 2.5;
    await resetNode(machine.remote, { signal, status: () => undefined, warn: () => undefined });
    expect(machine.scripts.join()).toContain("flock -w 300 9");
  });

  test("of a control plane leaves etcd first", async () => {
    const line = (name: string) => `1a, started, ${name}, https://${name}:2380, https://${name}:2379, false\n`;
    const health = "--- health ---\nhttps://cp-1:2379 is healthy: ok\n";
    const other = new ScriptedMachine(() => ({ stdout: `${line("cp-1")}${line("cp-3")}${health}` }), "cp-1");
    const { machine, done } = reset("cp-3", [other]);
    await done;
    expect(other.scripts.at(-1)).toContain("member remove");
    expect(isReset(machine)).toBe(true);
  });

  test("erases nothing while etcd refuses to remove the member", async () => {
    const other = new ScriptedMachine(
      () => new Error("etcdserver: re-configuration failed due to not enough started members"),
    );
    const { machine, done } = reset("cp-3", [other]);
    await expect(settle(done)).rejects.toThrow(/removing the etcd member failed on cp-3: .*not enough started members/);
    expect(isReset(machine)).toBe(false);
  });

  test("of an abandoned control plane continues without etcd's consent", async () => {
    const other = new ScriptedMachine(() => new Error("etcdserver: unhealthy cluster"), "cp-1");
    const { machine, done } = reset("cp-3", [other], true);
    await settle(done);
    expect(isReset(machine)).toBe(true);
  });

  test("of the only control plane keeps no member to ask", async () => {
    const { machine, done } = reset("cp-1");
    await done;
    expect(isReset(machine)).toBe(true);
  });
});
