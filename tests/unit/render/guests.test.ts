import { describe, expect, test } from "vitest";
import { parseFacts } from "../../../provider/host/facts";
import { firewallRules } from "../../../render/firewall";
import { hostsBlock, parseHostsBlock, replaceHostsBlock } from "../../../render/hosts";
import { requiredPackages } from "../../../render/node-contents";
import { machineFindings } from "../../../render/preflight-machine";
import { facts, preflightMachine } from "./samples";

const ranges = { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" };

describe("/etc/hosts", () => {
  const entries = { "worker-1": "192.168.56.19", "control-plane-1": "192.168.56.10" };
  const own = "127.0.0.1 localhost\n::1 localhost\n";

  test("appends the managed block, and leaves other lines unchanged", () => {
    const text = replaceHostsBlock(own, hostsBlock(entries));
    expect(text).toBe(
      `${own}# BEGIN kubewright\n192.168.56.10 control-plane-1\n192.168.56.19 worker-1\n# END kubewright\n`,
    );
    expect(parseHostsBlock(text)).toEqual(entries);
    expect(replaceHostsBlock(text, hostsBlock(entries))).toBe(text);
    expect(replaceHostsBlock(text, "")).toBe(own);
  });

  test("replaces a block in the middle, and adds a missing final line feed", () => {
    const text = replaceHostsBlock(
      `${replaceHostsBlock("127.0.0.1 localhost", hostsBlock(entries))}10.0.0.1 mine\n`,
      hostsBlock({ other: "10.0.0.2" }),
    );
    expect(text).toBe("127.0.0.1 localhost\n10.0.0.1 mine\n# BEGIN kubewright\n10.0.0.2 other\n# END kubewright\n");
  });

  test("adds no entry for a machine that is addressed by name", () => {
    expect(hostsBlock({ boss: "boss.example.com" })).toBe("");
    expect(parseHostsBlock(own)).toEqual({});
  });
});

describe("a Fedora node", () => {
  const answers = {
    os_id: "fedora",
    os_version: "41",
    arch: "x86_64",
    cgroup: "cgroup2fs",
    selinux: "enforcing",
    firewall: "firewalld",
    uid: "0",
  };
  const fedora = parseFacts(new Map(Object.entries(answers)), 0, "worker-1");

  test("is recognized from its facts", () => {
    expect(fedora).toMatchObject({
      osFamily: "fedora",
      cgroupVersion: 2,
      selinux: "enforcing",
      firewall: "firewalld",
      root: true,
    });
    expect(parseFacts(new Map(Object.entries({ ...answers, selinux: "", firewall: "" })), 0, "x")).toMatchObject({
      selinux: "none",
      firewall: "none",
    });
  });

  test("gets its packages under their dnf names", () => {
    expect(requiredPackages(fedora)).toEqual([
      "iproute",
      "iptables-nft",
      "nftables",
      "conntrack-tools",
      "ethtool",
      "kmod",
      "procps-ng",
      "socat",
    ]);
  });

  test("reports what stays as it is, before the machine is a member", () => {
    const said = (changes: object) =>
      machineFindings(preflightMachine({ facts: { selinux: "enforcing", firewall: "firewalld" }, ...changes }), {
        ...ranges,
        proxyMode: "nftables",
      }).map(({ severity, message }) => [severity, message]);
    expect(said({})).toEqual([
      ["warning", "SELinux is enforcing, and stays enforcing"],
      ["warning", "firewalld is active, and stays active"],
    ]);
    expect(said({ instanceAlreadyMember: true })).toEqual([]);
    expect(machineFindings(preflightMachine({ facts: facts() }), { ...ranges, proxyMode: "nftables" })).toEqual([]);
  });
});

test("the firewall opens the ports of the role, and VXLAN if flannel uses it", () => {
  const rules = (changes: object) => firewallRules({ role: "worker", ...ranges, backend: "host-gw", ...changes });
  expect(rules({})).toEqual({
    ports: ["10250/tcp", "10256/tcp", "30000-32767/tcp", "30000-32767/udp"],
    ranges: ["10.244.0.0/16", "10.10.0.0/16"],
  });
  expect(rules({ role: "control-plane" }).ports).toEqual(
    expect.arrayContaining(["6443/tcp", "2379-2380/tcp", "10250/tcp"]),
  );
  expect(rules({ backend: "vxlan" }).ports).toContain("8472/udp");
});
