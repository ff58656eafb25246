import { describe, expect, test, vi } from "vitest";
import { leaveEtcd, removeDeadMember, removePreviousMember } from "../../../../provider/kubeadm/etcd-member";
import { settle, useFakeTime } from "../../../support/fake-time";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;

interface Etcd {
  members?: readonly string[];
  unhealthy?: readonly string[];
  /** Error of `member remove`. */
  failure?: () => Error | undefined;
}

const MEMBERS = ["cp-1", "cp-2", "cp-3"];

function etcdOutput({ members = MEMBERS, unhealthy = [] }: Etcd): string {
  const url = (name: string) => `https://${name}:2379`;
  const list = members.map(
    (name, index) => `${index + 1}a, started, ${name}, https://${name}:2380, ${url(name)}, false`,
  );
  const health = members.map((name) =>
    unhealthy.includes(name) ? `${url(name)} is unhealthy: context deadline exceeded` : `${url(name)} is healthy: ok`,
  );
  return [...list, "--- health ---", ...health, ""].join("\n");
}

/** A control plane through which a member leaves. */
const other = (name: string, etcd: Etcd = {}) =>
  new ScriptedMachine((script) => {
    if (script.includes("endpoint health")) return { stdout: etcdOutput(etcd) };
    return script.includes("member remove") ? etcd.failure?.() : {};
  }, `${name} (10.0.0.1)`);
/** A machine with an etcd of that name, or without one. */
const leaving = (member: string, members?: readonly string[]) =>
  new ScriptedMachine((script) => {
    if (script.startsWith("sed")) return { stdout: `${member}\n` };
    return { stdout: members ? etcdOutput({ members }) : "" };
  }, "cp-3 (10.0.0.3)");
const remotes = (machines: readonly ScriptedMachine[]) => machines.map(({ remote }) => remote);
const silent = { signal, status: () => undefined };
const removals = ({ scripts }: ScriptedMachine) => scripts.filter((script) => script.includes("member remove"));

describe("leaving etcd", () => {
  test("saves a snapshot, then removes the member, through another control plane", async () => {
    const [machine, first, second] = [leaving("cp-3"), other("cp-1"), other("cp-2")];
    const messages: string[] = [];
    const options = { signal, status: () => undefined, info: (text: string) => void messages.push(text) };
    await leaveEtcd(machine.remote, remotes([first, second]), options);
    expect(first.scripts).toEqual([
      expect.stringContaining("endpoint health"),
      expect.stringContaining("snapshot save"),
      expect.stringMatching(/-v name=cp-3[^]*etcdctl member remove "\$id"/),
    ]);
    expect(second.scripts).toEqual([]);
    expect(messages).toEqual([
      "etcd has 3 members, 3 healthy: removing cp-3 leaves 2 of 2; " +
        "etcd's snapshot from before is /var/lib/kubewright/etcd-snapshots/before-cp-3-left.db on cp-1 (10.0.0.1)",
    ]);
  });

  test("uses the next control plane when the first fails", async () => {
    const first = other("cp-1", { failure: () => new Error("no etcd") });
    const [machine, second] = [leaving("cp-3"), other("cp-2")];
    await leaveEtcd(machine.remote, remotes([first, second]), silent);
    expect(removals(second)).toHaveLength(1);
  });

  test("fails with every cause when all refuse", async () => {
    const others = ["re-configuration failed", "timeout"].map((text, index) =>
      other(`cp-${index + 1}`, { failure: () => new Error(text) }),
    );
    const leave = leaveEtcd(leaving("cp-3").remote, remotes(others), silent);
    await expect(settle(leave)).rejects.toThrow(
      /removing the etcd member failed on cp-3: re-configuration failed; timeout; nothing was deleted.*endpoint health/,
    );
  });

  test("is refused where the others would have no majority, and nothing is removed", async () => {
    const first = other("cp-1", { unhealthy: ["cp-2"] });
    await expect(settle(leaveEtcd(leaving("cp-3").remote, remotes([first]), silent))).rejects.toThrow(
      "etcd has 3 members, 2 healthy: removing cp-3 leaves 1 of 2, which is no majority",
    );
    expect(removals(first)).toEqual([]);
    expect(first.scripts.some((script) => script.includes("snapshot"))).toBe(false);
  });

  test("of the unhealthy member keeps the majority", async () => {
    const first = other("cp-1", { unhealthy: ["cp-3"] });
    await leaveEtcd(leaving("cp-3").remote, remotes([first]), silent);
    expect(removals(first)).toHaveLength(1);
  });

  test("is repeated while members are out of touch", async () => {
    let attempts = 0;
    const failure = () => (++attempts < 4 ? new Error("etcdserver: unhealthy cluster") : undefined);
    await settle(leaveEtcd(leaving("cp-3").remote, remotes([other("cp-1", { failure })]), silent));
    expect(attempts).toBe(4);
  });

  test("does nothing on a machine without etcd, and keeps the last member", async () => {
    const first = other("cp-1");
    await leaveEtcd(leaving("").remote, remotes([first]), silent);
    await leaveEtcd(leaving("cp-1").remote, [], silent);
    await leaveEtcd(leaving("cp-3", ["cp-3"]).remote, remotes([first]), silent);
    expect(first.scripts).toEqual([]);
  });

  test("quotes the name", async () => {
    const first = other("cp-1", { members: ["a; reboot", "cp-2", "cp-3"] });
    await leaveEtcd(leaving("a; reboot").remote, remotes([first]), silent);
    expect(removals(first)[0]).toContain("name='a; reboot'");
  });
});

describe("removing a dead member", () => {
  test("asks another control plane", async () => {
    const first = other("cp-1", { unhealthy: ["cp-3"] });
    await removeDeadMember("cp-3", remotes([first]), silent);
    expect(removals(first)).toHaveLength(1);
  });

  test("of a machine that is not a member succeeds", async () => {
    const first = other("cp-1", { members: ["cp-1"] });
    await removeDeadMember("cp-3", remotes([first]), silent);
    expect(removals(first)).toEqual([]);
  });

  test("fails when etcd refuses: the member would still count", async () => {
    const first = other("cp-1", { failure: () => new Error("no quorum") });
    await expect(settle(removeDeadMember("cp-3", remotes([first]), silent))).rejects.toThrow("no quorum");
  });

  test("does nothing without other control planes", async () => {
    await removeDeadMember("cp-3", [], silent);
  });
});

describe("a rebuilt control plane that joins again", () => {
  /** A control plane with that etcd, or one whose etcd does not answer. */
  const answering = (name: string, members?: readonly string[]) =>
    new ScriptedMachine((script) =>
      script.includes("member list") && members ? { stdout: etcdOutput({ members }) } : {},
    );

  test("first loses the member of its previous machine", async () => {
    const others = [answering("cp-2"), answering("cp-3", MEMBERS)];
    await settle(removePreviousMember("cp-1", remotes(others), silent));
    expect(removals(others[1]!)).toEqual([expect.stringContaining("-v name=cp-1")]);
  });

  test("has none in etcd when it joins for the first time, or when no etcd answers", async () => {
    const [first, stopped] = [answering("cp-2", ["cp-2", "cp-3"]), answering("cp-3")];
    await removePreviousMember("cp-1", remotes([first]), silent);
    await removePreviousMember("cp-1", remotes([stopped]), silent);
    expect([...removals(first), ...removals(stopped)]).toEqual([]);
  });
});
