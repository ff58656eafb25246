import "reflect-metadata";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Stack } from "@pulumi/pulumi/automation";
import { clusterApi } from "../../../../cli/engine/cluster-api";
import type { Session } from "../../../../cli/engine/session";
import { beginPhase, rotate } from "../../../../cli/rotation/rotate";
import { readLeaves, requireIssued } from "../../../../provider/rotation/issued-certificates";
import { prepareMaterials, recordFormer } from "../../../../provider/rotation/materials";
import { replaceSystemPods } from "../../../../provider/rotation/outdated-pods";
import { AUTHORITIES, type AuthorityName, type Phase } from "../../../../provider/rotation/phases";
import { publishClusterInfo, waitUntilPublished } from "../../../../provider/rotation/published-authorities";
import { rotateControlPlane } from "../../../../provider/rotation/rotate-control-plane";
import { rotateKubelet } from "../../../../provider/rotation/rotate-kubelet";
import type { RotationRecord } from "../../../../provider/rotation/rotation-record";
import type { Remote } from "../../../../provider/ssh/remote";
import type { CertificateKeys } from "../../../../render/kubeadm-types";
import { connectionTo } from "../../../support/connection";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("../../../../cli/engine/cluster-api", () => ({ clusterApi: vi.fn() }));
vi.mock("../../../../provider/rotation/issued-certificates", async (original) => ({
  ...(await original<object>()),
  ...{ readLeaves: vi.fn(), requireIssued: vi.fn() },
}));
vi.mock("../../../../provider/rotation/materials", async (original) => ({
  ...(await original<object>()),
  ...{ prepareMaterials: vi.fn(), recordFormer: vi.fn() },
}));
vi.mock("../../../../provider/rotation/outdated-pods", () => ({ replaceSystemPods: vi.fn() }));
vi.mock("../../../../provider/rotation/published-authorities", () => ({
  ...{ publishClusterInfo: vi.fn(), waitUntilPublished: vi.fn() },
}));
vi.mock("../../../../provider/rotation/rotate-control-plane", async (original) => ({
  ...(await original<object>()),
  rotateControlPlane: vi.fn(),
}));
vi.mock("../../../../provider/rotation/rotate-kubelet", () => ({ rotateKubelet: vi.fn() }));

const RECORD = "/var/lib/kubewright/ca-rotation/record.json";
const KEY = "/var/lib/kubewright/ca-rotation/cluster/next.key";
const CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"];

class NamedMachine extends MemoryMachine {
  override readonly label: string;
  override readonly connection;
  constructor(name: string) {
    super();
    this.label = name;
    this.connection = connectionTo({ host: name, name });
    this.on(/^date \+%s$/, () => "1795737600\n");
    this.on(/^rm -rf \/var\/lib\/kubewright\/ca-rotation$/, () => (this.files.clear(), ""));
  }
}

let machines: NamedMachine[];
let order: string[];
let fails: string | undefined;
const log = (step: string) => async () => void order.push(step);
const logMachine =
  (step: string) =>
  async (_: unknown, { label }: { label: string }) => {
    if (fails === `${step} ${label}`) throw new Error(`${label} failed`);
    order.push(`${step} ${label}`);
  };

beforeEach(() => {
  machines = [...CONTROL_PLANES, "w-1", "w-2"].map((name) => new NamedMachine(name));
  machines[0]!.files.set(KEY, { content: "KEY", mode: "0600" });
  [order, fails] = [[], undefined];
  vi.mocked(clusterApi).mockResolvedValue({} as never);
  vi.mocked(prepareMaterials).mockImplementation(async (_, names) => {
    const parts = (name: AuthorityName) => [name, { previous: `old ${name}`, next: `new ${name}` }] as const;
    return new Map(names.map(parts));
  });
  vi.mocked(readLeaves).mockResolvedValue(new Map());
  vi.mocked(requireIssued)
    .mockReset()
    .mockImplementation(async ({ label }) => void order.push(`check ${label}`));
  vi.mocked(recordFormer).mockImplementation(async ({ label }) => void order.push(`record ${label}`));
  vi.mocked(rotateControlPlane).mockReset().mockImplementation(logMachine("control plane"));
  vi.mocked(rotateKubelet).mockReset().mockImplementation(logMachine("kubelet"));
  vi.mocked(publishClusterInfo).mockImplementation(log("cluster-info"));
  vi.mocked(waitUntilPublished).mockImplementation(log("published"));
  vi.mocked(replaceSystemPods).mockImplementation(log("pods"));
});

const remotes = () => machines as unknown as Remote[];
const session = {
  ...{ signal: new AbortController().signal, progress: () => undefined, provider: {} },
} as unknown as Session;

async function run(record: RotationRecord, keys?: CertificateKeys): Promise<void> {
  const controlPlanes = remotes().slice(0, CONTROL_PLANES.length);
  await rotate({ stack: {} as Stack, session, controlPlanes, machines: remotes(), keys }, record);
}
const begin = (phase: Phase, authorities: readonly AuthorityName[] = AUTHORITIES) =>
  beginPhase(phase, authorities, undefined);
const recordOn = (machine: NamedMachine) =>
  JSON.parse(machine.files.get(RECORD)?.content ?? "{}") as Partial<RotationRecord>;

describe("several control planes", () => {
  test("one after the other, then what clients read, then kubelets, then pods", async () => {
    await run(begin("trust"));
    expect(order).toEqual([
      ...["cp-1", "cp-2", "cp-3", "w-1", "w-2"].map((name) => `record ${name}`),
      ...CONTROL_PLANES.map((name) => `control plane ${name}`),
      ...["cluster-info", "published"],
      ...["cp-1", "cp-2", "cp-3", "w-1", "w-2"].map((name) => `kubelet ${name}`),
      "pods",
    ]);
    for (const machine of machines.slice(0, 3))
      expect(recordOn(machine)).toMatchObject({ phase: "trust", isDone: true });
    expect(machines[3]!.files.has(RECORD)).toBe(false);
  });

  test("new keys have the algorithm of the rotation", async () => {
    await run(begin("trust"), "RSA-3072");
    expect(vi.mocked(prepareMaterials).mock.lastCall).toEqual([
      expect.anything(),
      AUTHORITIES,
      expect.anything(),
      "RSA-3072",
    ]);
  });

  test("a control plane that fails ends the run before the others and the kubelets change", async () => {
    fails = "control plane cp-2";
    await expect(run(begin("trust"))).rejects.toThrow("cp-2 failed");
    expect(order.at(-1)).toBe("control plane cp-1");
    for (const machine of machines.slice(0, 3)) expect(recordOn(machine)).toMatchObject({ isDone: false });
  });

  test("the kubelet of a worker that fails ends the run, and the phase is not done", async () => {
    fails = "kubelet w-1";
    await expect(run(begin("trust"))).rejects.toThrow("w-1 failed");
    expect(order).not.toContain("kubelet w-2");
    expect(recordOn(machines[0]!)).toMatchObject({ isDone: false });
  });
});

test("kubelets get certificates of the new CA only in the phase reissue", async () => {
  await run(begin("reissue"));
  const authorities = vi.mocked(rotateKubelet).mock.calls.map(([, , { authority }]) => authority);
  expect(authorities).toEqual(Array(5).fill({ certificate: "new cluster", key: "KEY" }));
  expect(recordOn(machines[0]!).signedSince).toMatch(/^20\d\d-/);
  vi.mocked(rotateKubelet).mockClear();
  await run(begin("trust"));
  expect(vi.mocked(rotateKubelet).mock.calls.map(([, , { authority }]) => authority)).toEqual(Array(5).fill(undefined));
});

test("the previous CA is dropped when it has issued no certificate in use, and leaves nothing", async () => {
  await run(begin("drop"));
  expect(order.slice(0, 6)).toEqual([
    ...["cp-1", "cp-2", "cp-3", "w-1", "w-2"].map((name) => `check ${name}`),
    "control plane cp-1",
  ]);
  for (const machine of machines) expect([...machine.files.keys()]).toEqual([]);
  const ofWorker = vi.mocked(readLeaves).mock.lastCall?.[1];
  expect(ofWorker).toEqual(["kubelet client", "kubelet server"]);
  vi.mocked(requireIssued).mockRejectedValue(new Error("kubelet client: not issued by the new CA"));
  order = [];
  await expect(run(begin("drop"))).rejects.toThrow("not issued");
  expect(order).toEqual([]);
});

test("etcd's CA alone changes the control planes only", async () => {
  await run(begin("trust", ["etcd"]));
  expect(order).toEqual(CONTROL_PLANES.map((name) => `control plane ${name}`));
});

test("a phase keeps the rotation's id and the time of the new key", () => {
  const before = { ...begin("reissue"), isDone: true, signedSince: "2026-11-27T00:00:00.000Z" };
  expect(beginPhase("drop", before.authorities, before)).toEqual({ ...before, phase: "drop", isDone: false });
});
