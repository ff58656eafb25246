import "reflect-metadata";
import { expect, test } from "vitest";
import { clusterStatus } from "../../../../cli/nodes/cluster-status";
import { POOL_LABEL } from "../../../../common/labels";
import { createAuthority, createCertificate } from "../../../../provider/pki/x509";
import { MemoryMachine } from "../../../support/memory-machine";
import { fakeApi, type FakeNode } from "../fake-stack";

const status = (...nodes: FakeNode[]) => clusterStatus(fakeApi(...nodes), { signal: new AbortController().signal });

test("Ready nodes are healthy", async () => {
  expect(await status({ name: "worker-1" })).toMatchObject({ healthy: true, problems: [] });
});

test("a node that is not Ready is a problem, with the kubelet's message", async () => {
  expect((await status({ name: "worker-1", ready: false })).problems).toEqual([
    "worker-1: NotReady: Kubelet stopped posting node status.",
  ]);
});

test("a cordoned node is a problem", async () => {
  expect((await status({ name: "worker-1", cordoned: true })).problems).toEqual(["worker-1: cordoned"]);
});

test.each([
  ["workers", "workers.kubelet.evictionHard"],
  ["control-plane", "controlPlane.kubelet.evictionHard"],
  ["big", "pools.big.kubelet.evictionHard"],
])("disk pressure in pool %s names what to free and what to change", async (pool, setting) => {
  const { problems, healthy } = await status({
    name: "worker-1",
    conditions: ["DiskPressure"],
    labels: { [POOL_LABEL]: pool },
    evicted: 1,
  });
  expect(healthy).toBe(false);
  for (const part of ["disk is nearly full, and 1 pod was evicted", "df -h /var/lib", setting])
    expect(problems.join()).toContain(part);
});

test("a pod that was evicted does not count as running", async () => {
  expect((await status({ name: "worker-1", evicted: 3 })).nodes[0]).toMatchObject({
    pods: 1,
    evicted: 3,
    capacity: 110,
  });
});

test("a control plane whose certificates cannot be read is a problem", async () => {
  const machine = { label: "control-plane-1", connection: {} } as never;
  const { problems } = await clusterStatus(fakeApi({ name: "worker-1" }), {
    signal: new AbortController().signal,
    controlPlanes: [machine],
  });
  expect(problems.join()).toContain("certificates could not be read");
});

test("a certificate that ends in 20 days is a warning, one that ends in 3 days a problem", async () => {
  const read = async (days: number) => {
    const authority = await createAuthority("kubernetes", 3650);
    const { certificate } = await createCertificate(authority, { commonName: "a", usages: ["client"], days: 365 });
    const now = Math.floor(Date.now() / 1000) + (365 - days) * 86_400;
    const stdout = `now ${now}\nfile /etc/kubernetes/pki/apiserver.crt\n${certificate}`;
    const machines = [new MemoryMachine().on(/./, () => stdout) as never];
    return await clusterStatus(fakeApi({ name: "worker-1" }), { signal: new AbortController().signal, machines });
  };
  const soon = await read(20);
  expect(soon).toMatchObject({ healthy: true, problems: [], certificates: [{ name: "apiserver", state: "soon" }] });
  expect(soon.warnings.join()).toContain("certificate apiserver ends in ");
  expect(await read(3)).toMatchObject({ healthy: false, certificates: [{ node: "worker-1", state: "critical" }] });
});
