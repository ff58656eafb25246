import { describe, expect, test } from "vitest";
import type { MachineFacts } from "../../../render/facts";
import {
  type Expectations,
  type Finding,
  type PreflightMachine,
  preflightFindings,
  renderFindings,
} from "../../../render/preflight";
import { golden, preflightMachine, preflightWorker } from "./samples";

const expectations: Expectations = { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16", proxyMode: "nftables" };

function findings(machines: PreflightMachine[], changes: Partial<Expectations> = {}): Finding[] {
  return preflightFindings(machines, { ...expectations, ...changes });
}

/** Returns the only finding about a control plane with these facts. */
function only(facts: Partial<MachineFacts>, changes: Partial<Expectations> = {}): Finding | undefined {
  const found = findings([preflightMachine({ facts })], changes);
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0];
}

test("healthy machines have no findings", () => {
  expect(findings([preflightMachine(), preflightWorker()])).toEqual([]);
  expect(renderFindings([])).toBe("");
});

test("lists the findings of all machines, errors first", async () => {
  const machines = [
    preflightMachine({ facts: { cgroupVersion: 1, cpus: 1, memoryMiB: 1024, listeningPorts: [22, 6443] } }),
    preflightWorker({
      facts: { hostname: "cp-1", swapMiB: 512, clockSkewSeconds: -75, diskFreeMiB: 1000, memoryMiB: 1024 },
    }),
    preflightWorker({
      name: "worker-2",
      address: "10.77.0.23",
      facts: {
        hostname: "worker-2",
        machineId: "id-1",
        osFamily: "other",
        osId: "alpine",
        osVersion: "3.22",
        root: false,
      },
    }),
  ];
  await expect(`${renderFindings(findings(machines))}\n`).toMatchFileSnapshot(golden("preflight.txt"));
});

describe("one machine", () => {
  test.each<[string, Partial<MachineFacts>, Finding["severity"], string]>([
    ["no root", { root: false }, "error", "not root"],
    ["unknown system", { osFamily: "other" }, "error", "not supported"],
    ["unknown architecture", { arch: "riscv64" as "amd64" }, "error", "riscv64"],
    ["another cluster's control plane", { kubernetesState: "control-plane" }, "error", "of another cluster"],
    [
      "another cluster's worker",
      { kubernetesState: "worker" },
      "error",
      "a new one with `npm run adopt`; otherwise run",
    ],
    [
      "an interrupted run of this stack",
      { kubernetesState: "partial", listeningPorts: [6443] },
      "warning",
      "unfinished kubeadm init or join",
    ],
    ["old kernel", { kernel: "5.10.0-33-amd64" }, "error", "nftables"],
    ["cgroup v1", { cgroupVersion: 1 }, "warning", "cgroup v1"],
    ["one CPU", { cpus: 1 }, "error", "requires 2"],
    ["little memory", { memoryMiB: 1699 }, "error", "1700"],
    ["full disk", { diskFreeMiB: 2047 }, "error", "2048"],
    ["little free space", { diskMiB: 20_000, diskFreeMiB: 5119 }, "warning", "5119"],
    ["a nearly full disk", { diskMiB: 100_000, diskFreeMiB: 14_999 }, "warning", "14 %; below 15 %"],
    ["swap", { swapMiB: 1 }, "error", "controlPlane.kubelet.failSwapOn"],
    ["clock a little ahead", { clockSkewSeconds: 6 }, "warning", "6 s ahead of"],
    ["clock far behind", { clockSkewSeconds: -61 }, "error", "61 s behind"],
    ["an address of another machine", { addresses: ["10.0.2.15"] }, "error", "none of its interfaces"],
    ["a network inside the pods'", { addresses: ["10.77.0.21", "10.244.9.1"] }, "error", "inside network.podCidr"],
    [
      "a network inside the services'",
      { addresses: ["10.77.0.21", "10.10.0.1"] },
      "error",
      "inside network.serviceCidr",
    ],
  ])("%s", (_, facts, severity, message) => {
    expect(only(facts)).toMatchObject({ machine: "cp-1", severity });
    expect(renderFindings(findings([preflightMachine({ facts })]))).toContain(message);
  });

  test.each<[string, Partial<MachineFacts>, Partial<Expectations>]>([
    [
      "values exactly at the limits",
      { memoryMiB: 1700, cpus: 2, diskMiB: 34_133, diskFreeMiB: 5120, clockSkewSeconds: 5 },
      {},
    ],
    ["an old kernel in iptables mode", { kernel: "5.10.0-33-amd64" }, { proxyMode: "iptables" }],
    ["another API port", { listeningPorts: [6443] }, { apiPort: 8443 }],
  ])("no finding about %s", (_, facts, changes) => {
    expect(only(facts, changes)).toBeUndefined();
  });

  test("swap may be allowed per machine", () => {
    const swap = { swapMiB: 1 };
    expect(findings([preflightMachine({ facts: swap, swapAllowed: true }), preflightWorker()])).toEqual([]);
    expect(findings([preflightMachine({ swapAllowed: true }), preflightWorker({ facts: swap })])).toMatchObject([
      { machine: "worker-1", severity: "error" },
    ]);
  });

  test("workers may be smaller, with a warning about memory", () => {
    const found = findings([preflightWorker({ facts: { cpus: 1, memoryMiB: 900 } })]);
    expect(found).toMatchObject([{ severity: "warning", machine: "worker-1" }]);
  });
});

describe("ports", () => {
  test("7443 belongs to the API balancer of every kubeadm node", () => {
    const facts = { listeningPorts: [7443] };
    expect(findings([preflightMachine(), preflightWorker({ facts })])).toMatchObject([
      { machine: "worker-1", severity: "error", message: "port 7443, which the API balancer needs, is in use" },
    ]);
    expect(only(facts, { bootstrap: "components" })).toBeUndefined();
  });

  test.each([6443, 2379, 2380, 10250, 10256, 10257, 10259])("port %d belongs to a control plane", (port) => {
    expect(only({ listeningPorts: [22, port] })?.message).toContain(`port ${port},`);
  });

  test.each([10250, 10256])("port %d belongs to a worker", (port) => {
    expect(findings([preflightWorker({ facts: { listeningPorts: [port] } })])).toMatchObject([{ severity: "error" }]);
  });

  test("the control plane's ports may be in use on a worker", () => {
    expect(findings([preflightWorker({ facts: { listeningPorts: [6443, 2379] } })])).toEqual([]);
  });
});

test("ports, state, addresses and disk of a member are its own", () => {
  const facts: Partial<MachineFacts> = {
    kubernetesState: "control-plane",
    listeningPorts: [6443, 10250],
    addresses: ["10.77.0.21", "10.244.0.1"],
    diskFreeMiB: 1500,
  };
  expect(findings([preflightMachine({ instanceAlreadyMember: true, facts })])).toMatchObject([{ severity: "warning" }]);
});

describe("a node that is missing from the state", () => {
  const member = (clusterCa: string) =>
    preflightMachine({ instanceAlreadyMember: true, facts: { kubernetesState: "control-plane", clusterCa } });
  const lost = (clusterCa: string) =>
    preflightWorker({
      facts: { hostname: "worker-1", machineId: "id-2", kubernetesState: "worker", clusterCa, listeningPorts: [10250] },
    });

  test("counts as a member if it has the CA of a member", () => {
    expect(findings([member("a".repeat(64)), lost("a".repeat(64))])).toEqual([]);
  });

  test("belongs to another cluster if its CA differs or there is no member to compare with", () => {
    expect(findings([member("a".repeat(64)), lost("b".repeat(64))])).toMatchObject([
      { severity: "error", message: expect.stringContaining("of another cluster") as string },
    ]);
    expect(findings([preflightMachine(), lost("b".repeat(64))])).toMatchObject([{ severity: "error" }]);
  });
});

describe("the runtime", () => {
  test("a node keeps its runtime", () => {
    const member = preflightMachine({ instanceAlreadyMember: true, facts: { kubeletRuntime: "containerd" } });
    expect(preflightFindings([member], { ...expectations, runtime: "docker" })).toMatchObject([
      { severity: "error", action: expect.stringContaining("runtime: containerd") as string },
    ]);
    expect(preflightFindings([member], expectations)).toEqual([]);
    expect(
      preflightFindings([preflightMachine({ facts: { kubeletRuntime: "containerd" } })], {
        ...expectations,
        runtime: "docker",
      }),
    ).toEqual([]);
  });

  test("an existing Docker configuration is not overwritten", () => {
    const machine = preflightMachine({ facts: { dockerConfigured: true } });
    expect(preflightFindings([machine], { ...expectations, runtime: "docker" })).toMatchObject([
      { severity: "error", message: expect.stringContaining("daemon.json") as string },
    ]);
    expect(preflightFindings([machine], expectations)).toEqual([]);
  });
});

describe("several machines", () => {
  test.each<[string, Parameters<typeof preflightWorker>[0]]>([
    ["name", { name: "cp-1" }],
    ["hostname", { facts: { hostname: "cp-1" } }],
    ["machine-id", { facts: { machineId: "id-1" } }],
    ["address", { address: "10.77.0.21", facts: { addresses: ["10.77.0.21"] } }],
    ["address", { privateAddress: "10.77.0.21", facts: { addresses: ["10.77.0.21"] } }],
  ])("two machines with the same %s", (what, changes) => {
    const found = findings([preflightMachine(), preflightWorker(changes)]);
    expect(found).toMatchObject([{ severity: "error" }]);
    expect(found[0]?.message).toMatch(`the same ${what} as cp-1`);
  });

  test("machines behind one router differ by their private addresses", () => {
    const cp = preflightMachine({ address: "192.0.2.1", privateAddress: "10.77.0.21" });
    expect(findings([cp, preflightWorker({ address: "192.0.2.1", privateAddress: "10.77.0.22" })])).toEqual([]);
  });

  test("a DNS name is not compared with interfaces", () => {
    expect(findings([preflightMachine({ address: "cp.example.com" })])).toEqual([]);
  });
});
