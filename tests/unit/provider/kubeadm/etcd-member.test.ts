import { describe, expect, test, vi } from "vitest";
import { leaveEtcd, removeDeadMember } from "../../../../provider/kubeadm/etcd-member";
import { settle, useFakeTime } from "../../../support/fake-time";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;

/** A machine with an etcd of that name, or without one. */
const leaving = (member: string) => new ScriptedMachine(() => ({ stdout: `${member}\n` }), "cp-3 (10.0.0.3)");
const other = (name: string, failure?: Error) => new ScriptedMachine(() => failure, `${name} (10.0.0.1)`);
const remotes = (machines: readonly ScriptedMachine[]) => machines.map(({ remote }) => remote);

describe("leaving etcd", () => {
  test("removes the member through another control plane", async () => {
    const [machine, first, second] = [leaving("cp-3"), other("cp-1"), other("cp-2")];
    const messages: string[] = [];
    await leaveEtcd(machine.remote, remotes([first, second]), { signal, status: (text) => messages.push(text) });
    expect(first.scripts[0]).toContain("-v name=cp-3");
    expect(first.scripts[0]).toContain('etcdctl member remove "$id"');
    expect(second.scripts).toEqual([]);
    expect(messages).toEqual(["removing the etcd member"]);
  });

  test("uses the next control plane when the first fails", async () => {
    const [machine, first, second] = [leaving("cp-3"), other("cp-1", new Error("no etcd")), other("cp-2")];
    await leaveEtcd(machine.remote, remotes([first, second]), { signal, status: () => undefined });
    expect(second.scripts).toHaveLength(1);
  });

  test("fails with every cause when all refuse", async () => {
    const others = [other("cp-1", new Error("re-configuration failed")), other("cp-2", new Error("timeout"))];
    const leave = leaveEtcd(leaving("cp-3").remote, remotes(others), { signal, status: () => undefined });
    await expect(settle(leave)).rejects.toThrow(
      /removing the etcd member failed on cp-3: re-configuration failed; timeout; nothing was deleted.*endpoint health/,
    );
  });

  test("is repeated while members are out of touch", async () => {
    let attempts = 0;
    const first = new ScriptedMachine(() => (++attempts < 4 ? new Error("etcdserver: unhealthy cluster") : {}), "cp-1");
    await settle(leaveEtcd(leaving("cp-3").remote, remotes([first]), { signal, status: () => undefined }));
    expect(attempts).toBe(4);
  });

  test("does nothing on a machine without etcd, and keeps the last member", async () => {
    const first = other("cp-1");
    await leaveEtcd(leaving("").remote, remotes([first]), { signal, status: () => undefined });
    expect(first.scripts).toEqual([]);
    await leaveEtcd(leaving("cp-1").remote, [], { signal, status: () => undefined });
  });

  test("quotes the name", async () => {
    const first = other("cp-1");
    await leaveEtcd(leaving("a; reboot").remote, remotes([first]), { signal, status: () => undefined });
    expect(first.scripts[0]).toContain("name='a; reboot'");
  });
});

describe("removing a dead member", () => {
  const remove = async (failure?: Error) => {
    const warnings: string[] = [];
    const options = { signal, status: () => undefined, warn: (text: string) => void warnings.push(text) };
    const first = other("cp-1", failure);
    await settle(removeDeadMember("cp-3", remotes([first]), options));
    return { first, warnings };
  };

  test("asks another control plane", async () => {
    const { first, warnings } = await remove();
    expect(first.scripts).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test("warns when it fails", async () => {
    const { warnings } = await remove(new Error("no quorum"));
    expect(warnings.join()).toMatch(/etcd may still count cp-3 as a member: .*no quorum/);
  });

  test("does nothing without other control planes", async () => {
    await removeDeadMember("cp-3", [], { signal, status: () => undefined, warn: () => undefined });
  });
});
