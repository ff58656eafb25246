import { beforeEach, describe, expect, test } from "vitest";
import {
  actionAfterPutBack,
  findImpossibleComponent,
  imageOfPod,
  prepareComponent,
  type ComponentVersion,
} from "../../../../provider/kubeadm/component-upgrade";
import { MemoryMachine } from "../../../support/memory-machine";

const apiServer = (kubernetes?: string, image?: string): ComponentVersion => ({
  component: "kube-apiserver",
  instance: "a1",
  kubernetes,
  image: image === undefined ? undefined : `registry.k8s.io/kube-apiserver:v${image}`,
});
const etcd = (version: string): ComponentVersion => ({
  component: "etcd",
  instance: "a1",
  kubernetes: "1.36.3",
  image: `registry.k8s.io/etcd:${version}-0`,
});
const reasons = (now: ComponentVersion, old: ComponentVersion) =>
  findImpossibleComponent(now, old).map(({ path, reason }) => `${path}: ${reason}`);

describe("another version of a component", () => {
  test.each<[string, string, string, RegExp | undefined]>([
    ["the next minor version", "1.36.3", "1.35.4", undefined],
    ["another patch release, also an older one", "1.35.2", "1.35.4", undefined],
    ["an older minor version", "1.35.4", "1.36.3", /^kubernetes\.version: Kubernetes cannot be downgraded/],
    ["a minor version too far", "1.36.3", "1.34.4", /cannot skip a minor version.*; set a version 1\.35 first, or run/],
  ])("%s of the API server is refused only where Kubernetes does not support it", (_, to, from, problem) => {
    for (const old of [apiServer(from), apiServer(undefined, from)]) {
      const found = reasons(apiServer(to), old);
      if (problem) expect(found).toEqual([expect.stringMatching(problem)]);
      else expect(found).toEqual([]);
    }
  });

  test("is compared while a preview does not know the new manifest", () => {
    const now = { component: undefined, instance: "a1", kubernetes: "1.35.4" };
    expect(reasons(now, apiServer("1.36.3"))).toHaveLength(1);
  });

  test("is not compared with that of another machine, nor for a component that is not prepared", () => {
    expect(reasons({ ...apiServer("1.35.4"), instance: "b2" }, apiServer("1.36.3"))).toEqual([]);
    expect(reasons({ ...apiServer("1.35.4"), instance: undefined }, apiServer("1.36.3"))).toEqual([]);
    expect(reasons(apiServer(undefined, "1.35.4"), apiServer(undefined, "1.36.3"))).toEqual([]);
    const scheduler = (kubernetes: string) => ({ ...apiServer(kubernetes), component: "kube-scheduler" });
    expect(reasons(scheduler("1.35.4"), scheduler("1.36.3"))).toEqual([]);
  });

  test("of etcd is refused where it cannot read the data", () => {
    expect(reasons(etcd("3.6.5"), etcd("3.6.8"))).toEqual([]);
    expect(reasons(etcd("3.5.9"), etcd("3.6.8"))).toEqual([
      "kubernetes.version: etcd 3.5.9 cannot read the data of etcd 3.6.8; keep the version",
    ]);
  });

  test("is unknown where a manifest has no containers", () => {
    expect(imageOfPod({ metadata: { name: "etcd" } })).toBeUndefined();
    expect(imageOfPod(undefined)).toBeUndefined();
  });
});

test("after an API server of another version was put back, the next action names what etcd has", () => {
  expect(actionAfterPutBack(apiServer("1.36.3"), "1.35.4")).toMatch(
    /^etcd keeps its version, with which this API server works; .* set `kubernetes.version` to 1\.35\.4 again/,
  );
  expect(actionAfterPutBack(apiServer("1.36.3"), "1.36.3")).toBeUndefined();
  expect(actionAfterPutBack(apiServer("1.36.3"), undefined)).toBeUndefined();
  expect(actionAfterPutBack(apiServer(undefined), "1.35.4")).toBeUndefined();
  expect(actionAfterPutBack(etcd("3.6.8"), "1.35.4")).toBeUndefined();
});

describe("before etcd or the API server changes", () => {
  const MEMBERS = "1, started, cp-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n";
  let machine: MemoryMachine;
  let health: string;
  let nodes: object[];
  let messages: string[];
  beforeEach(() => {
    health = "https://10.0.0.1:2379 is healthy: successfully committed proposal";
    nodes = [node("1.35.4")];
    messages = [];
    machine = new MemoryMachine()
      .on(/endpoint health --cluster/, () => `${MEMBERS}--- health ---\n${health}\n--- report ---\n--- report ---\n`)
      .on(/admin\.conf/, () => "yes\n");
  });

  const node = (version: string, status = "True") => ({
    metadata: { name: "cp-1", labels: { "node-role.kubernetes.io/control-plane": "" } },
    status: { conditions: [{ type: "Ready", status }], nodeInfo: { kubeletVersion: `v${version}` } },
  });
  const prepare = async (component: string, from: string | undefined = "1.35.4") => {
    const context = machine.context({ info: (message) => void messages.push(message) });
    context.kube.api = async () => ({ core: { listNode: async () => ({ items: nodes }) }, patience: 1 }) as never;
    const remote = context.connections.get(machine.connection);
    await prepareComponent(context, remote, { component, from, to: "1.36.3", connection: machine.connection });
  };
  const snapshots = () => machine.scripts.flatMap((script) => /etcd-snapshots\/(\S+)\.db/.exec(script)?.[1] ?? []);

  test("a snapshot of etcd is saved, and that of before etcd's own change stays", async () => {
    await prepare("etcd");
    await prepare("kube-apiserver");
    expect(snapshots()).toEqual(["before-1.36.3-etcd", "before-1.36.3"]);
    expect(messages[1]).toMatch(/^worker-1 .*: etcd's snapshot from before the upgrade to 1\.36\.3 is \/var\/lib/);
  });

  test("the other components need none", async () => {
    await prepare("kube-scheduler");
    expect(machine.scripts).toEqual([]);
  });

  test.each(["etcd", "kube-apiserver"])("an etcd that is not healthy stops the change of %s", async (component) => {
    health = "https://10.0.0.1:2379 is unhealthy: failed to commit proposal";
    await expect(prepare(component)).rejects.toThrow(/member cp-1 is unhealthy.*; nothing was changed on this machine/);
    expect(snapshots()).toEqual([]);
  });

  test.each(["etcd", "kube-apiserver"])("an unfit node stops the change of %s", async (name) => {
    nodes = [node("1.35.4", "False"), { ...node("1.32.0"), metadata: { name: "worker-1" } }];
    await expect(prepare(name)).rejects.toThrow(/plane cp-1 is not Ready; worker-1: kubelet 1\.32\.0 is 4 minor/);
    expect(snapshots()).toEqual([]);
  });

  test("the nodes are not asked for where there is no API server yet", async () => {
    nodes = [node("1.35.4", "False")];
    machine.on(/admin\.conf/, () => "");
    await prepare("etcd");
    expect(snapshots()).toEqual(["before-1.36.3-etcd"]);
  });

  test("a version of the API server that cannot follow is refused", async () => {
    await expect(prepare("kube-apiserver", "1.34.4")).rejects.toThrow(/Kubernetes cannot skip a minor version/);
    expect(snapshots()).toEqual([]);
  });
});
