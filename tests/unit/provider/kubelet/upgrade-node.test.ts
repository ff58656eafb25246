import { beforeEach, describe, expect, test, vi } from "vitest";
import { POOL_LABEL } from "../../../../common/labels";
import { DRAIN_DEFAULTS } from "../../../../contracts/drain";
import { isReplacementUnfinished, replaceKubelet } from "../../../../provider/kubelet/replace-kubelet";
import { soak } from "../../../../provider/kubelet/soak";
import { upgradeNode } from "../../../../provider/kubelet/upgrade-node";
import { FakeCluster } from "../../../support/fake-cluster";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubelet/replace-kubelet", () => ({
  replaceKubelet: vi.fn(),
  isReplacementUnfinished: vi.fn(),
}));
vi.mock("../../../../provider/kubelet/soak", () => ({ soak: vi.fn() }));
useFakeTime();

const NEW = "b".repeat(64);
const TAINT = { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" };

let memory: MemoryApi;
let cluster: FakeCluster;
let machine: MemoryMachine;
let running: string;
let messages: string[];
let podsAtReplacement: string[] | undefined;
beforeEach(async () => {
  memory = new MemoryApi();
  memory.apiServerVersion = "v1.36.3";
  cluster = new FakeCluster(memory.api);
  running = "a".repeat(64);
  machine = new MemoryMachine().on(/\/proc\/\$pid\/exe/, () => `${running}\n`);
  messages = [];
  podsAtReplacement = undefined;
  vi.mocked(replaceKubelet).mockReset();
  vi.mocked(soak).mockReset();
  vi.mocked(isReplacementUnfinished).mockResolvedValue(false);
  vi.mocked(replaceKubelet).mockImplementation(async () => void (podsAtReplacement = await cluster.pods("worker-1")));
  await node("control-plane-1", "v1.36.3", {
    taints: [TAINT],
    labels: { "node-role.kubernetes.io/control-plane": "" },
  });
  await node("worker-1", "v1.35.4");
  await node("worker-2", "v1.35.4");
  await cluster.pod("web-1", { node: "worker-1", owner: { kind: "ReplicaSet", uid: "web" } });
  cluster.replaces.set("web", "worker-2");
  cluster.run();
});

async function node(name: string, kubeletVersion: string, options: Parameters<FakeCluster["node"]>[1] = {}) {
  await cluster.node(name, { ...options, labels: { ...options.labels, [POOL_LABEL]: "workers" } });
  await memory.api.core.patchNodeStatus({ name, body: { status: { nodeInfo: { kubeletVersion } } } });
}

const upgrade = (name = "worker-1", changes: object = {}) =>
  settle(
    upgradeNode(machine.context({ info: (message) => void messages.push(message) }), memory.api, {
      ...{
        ...machine.target,
        controlPlanes: [],
        node: name,
        membership: "join",
        labels: {},
        annotations: {},
        taints: [],
      },
      ...{ schedulable: true, readyTimeout: 30, drain: DRAIN_DEFAULTS, pool: "workers", maxUnavailable: 1 },
      ...{ version: "1.36.3", program: NEW, ...changes },
    }),
  );

describe("a worker with another minor version", () => {
  test("is drained before its kubelet is replaced, and schedulable after it", async () => {
    await upgrade();
    expect(podsAtReplacement).toEqual([]);
    expect(await cluster.isCordoned("worker-1")).toBe(false);
    expect(messages).toEqual(["worker-1 is drained (1 pod) to replace its kubelet"]);
    expect(vi.mocked(replaceKubelet).mock.calls[0]?.[2]).toMatchObject({ name: "worker-1", version: "1.36.3" });
  });

  test("is schedulable again where its kubelet was put back", async () => {
    vi.mocked(replaceKubelet).mockRejectedValue(new Error("put back"));
    await expect(upgrade()).rejects.toThrow("put back");
    expect(await cluster.isCordoned("worker-1")).toBe(false);
  });

  test("waits while another node of its pool is unavailable, and then fails unchanged", async () => {
    await cluster.setReady("worker-2", false);
    await node("worker-3", "v1.35.4");
    await expect(upgrade()).rejects.toThrow(/worker-2 is not Ready; pool workers allows 1 unavailable/);
    expect(replaceKubelet).not.toHaveBeenCalled();
    expect(await cluster.pods("worker-1")).toEqual(["web-1"]);
  });

  test("keeps its pods where no other node can take them", async () => {
    await memory.api.core.deleteNode({ name: "worker-2" });
    await upgrade();
    expect(podsAtReplacement).toEqual(["web-1"]);
    expect(messages).toEqual([expect.stringMatching(/^worker-1: no other node can take its pods/)]);
  });

  test("keeps its pods where no controller manager would recreate them", async () => {
    await upgrade("worker-1", { uncontrolled: true });
    expect(podsAtReplacement).toEqual(["web-1"]);
    expect(messages).toEqual([]);
  });

  test("is not touched before the control plane has the version", async () => {
    memory.apiServerVersion = "v1.35.4";
    await expect(upgrade()).rejects.toThrow(/kubelet 1\.36\.3 is newer than the control plane 1\.35\.4; nothing was/);
    expect(await cluster.pods("worker-1")).toEqual(["web-1"]);
  });
});

test("a patch release and a control plane need no drain", async () => {
  await upgrade("worker-1", { version: "1.35.5" });
  expect(podsAtReplacement).toEqual(["web-1"]);
  await node("control-plane-2", "v1.35.4", { labels: { "node-role.kubernetes.io/control-plane": "" } });
  await upgrade("control-plane-2");
  expect(vi.mocked(replaceKubelet).mock.calls[1]?.[2]).toMatchObject({ controlPlanes: [machine.connection] });
  expect(messages).toEqual([]);
});

test("a control plane is out of the API balancers for another minor version only", async () => {
  machine.on(/answer\.sh drain/, () => ({ code: 10 }));
  const answers = () => machine.scripts.filter((script) => script.includes("answer.sh")).length;
  await node("control-plane-2", "v1.35.4", { labels: { "node-role.kubernetes.io/control-plane": "" } });
  let before = 0;
  vi.mocked(replaceKubelet).mockImplementation(async () => void (before = answers()));
  await upgrade("control-plane-2");
  expect([before, answers()]).toEqual([1, 2]);
  expect(machine.scripts.filter((script) => script.includes("move-leader"))).toHaveLength(1);
  await upgrade("control-plane-2", { version: "1.35.5" });
  expect(answers()).toBe(2);
});

test("a kubelet of the same version is replaced where its program differs, and left alone otherwise", async () => {
  await upgrade("control-plane-1");
  expect(replaceKubelet).toHaveBeenCalledTimes(1);
  running = NEW;
  await upgrade("control-plane-1");
  expect(replaceKubelet).toHaveBeenCalledTimes(1);
});

test("a kubelet that an interrupted run started, and did not prove, is replaced again", async () => {
  running = NEW;
  vi.mocked(isReplacementUnfinished).mockResolvedValue(true);
  await upgrade("control-plane-1");
  expect(replaceKubelet).toHaveBeenCalledTimes(1);
});

describe("a soak", () => {
  /** What the soak sees while the previous kubelet can still be put back. */
  let seen: unknown;
  beforeEach(() => {
    seen = undefined;
    vi.mocked(replaceKubelet).mockImplementation(async (_context, _machine, kubelet) => await kubelet.soak?.());
  });

  test("begins once the node takes pods again", async () => {
    vi.mocked(soak).mockImplementation(async (_context, _api, options) => {
      seen = [await cluster.isCordoned("worker-1"), options.node, options.seconds];
    });
    await upgrade("worker-1", { soak: 60 });
    expect(seen).toEqual([false, "worker-1", 60]);
  });

  test("does not count what was wrong before", async () => {
    await cluster.node("other-1");
    await cluster.setReady("other-1", false);
    vi.mocked(soak).mockImplementation(async (_context, _api, options) => void (seen = options.before));
    await upgrade("worker-1", { soak: 60 });
    expect(seen).toEqual([expect.objectContaining({ key: "node other-1" })]);
  });

  test("begins once a control plane is in the API balancers again", async () => {
    machine.on(/answer\.sh drain/, () => ({ code: 10 }));
    await node("control-plane-2", "v1.35.4", { labels: { "node-role.kubernetes.io/control-plane": "" } });
    vi.mocked(soak).mockImplementation(async () => void (seen = machine.scripts.at(-1)));
    await upgrade("control-plane-2", { soak: 60 });
    expect(seen).toMatch(/answer\.sh.* ready/);
  });

  test("is left out where none is configured, and on a node that has the version", async () => {
    await upgrade();
    running = NEW;
    await upgrade("control-plane-1", { soak: 60 });
    expect(soak).not.toHaveBeenCalled();
  });
});
