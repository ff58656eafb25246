import type { V1Node, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { describe, expect, test } from "vitest";
import { forecastCapacity, isTolerated } from "../../../../provider/kube/capacity";

interface NodeOptions {
  cpu?: string;
  memory?: string;
  pods?: string;
  ready?: boolean;
  cordoned?: boolean;
  labels?: Record<string, string>;
  taints?: { key: string; value?: string; effect: string }[];
}

function node(name: string, options: NodeOptions = {}): V1Node {
  const { cpu = "4", memory = "4Gi", pods = "110", ready = true, cordoned = false, labels = {}, taints = [] } = options;
  return {
    metadata: { name, labels },
    spec: { taints, ...(cordoned ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu, memory, pods }, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function pod(
  name: string,
  nodeName: string,
  requests: Record<string, string>,
  spec: Partial<V1Pod["spec"]> = {},
): V1Pod {
  return {
    metadata: { namespace: "shop", name },
    spec: { nodeName, containers: [{ name: "c", resources: { requests } }], ...spec },
    status: { phase: "Running" },
  };
}

const unschedulable = (nodes: V1Node[], pods: V1Pod[]) => forecastCapacity("a", nodes, pods).unschedulable;
const init = (requests: Record<string, string>, restartPolicy?: string) => ({
  name: "i",
  resources: { requests },
  ...(restartPolicy ? { restartPolicy } : {}),
});

describe("the forecast", () => {
  test("counts the free capacity of the other schedulable nodes", () => {
    const nodes = [node("a"), node("b"), node("c", { ready: false }), node("d", { cordoned: true })];
    const pods = [pod("x", "b", { cpu: "500m", memory: "1Gi" }), pod("done", "b", { cpu: "3" })];
    pods[1]!.status = { phase: "Succeeded" };
    expect(forecastCapacity("a", nodes, pods).free).toEqual({ cpu: 3.5, memoryMiB: 3072, pods: 109 });
  });

  test("does not offset one node's free capacity by another's overcommitment", () => {
    const nodes = [node("a"), node("b", { cpu: "1" }), node("c")];
    expect(forecastCapacity("a", nodes, [pod("x", "b", { cpu: "2" })]).free.cpu).toBe(4);
  });

  test.each<[string, NodeOptions, Record<string, string>, string]>([
    ["memory", {}, { memory: "5Gi" }, "no other node has 5120 MiB of memory free"],
    ["CPU", {}, { cpu: "5" }, "no other node has 5 CPU free"],
    ["pod slots", { pods: "0" }, {}, "every other node already runs its maximum number of pods (maxPods)"],
    ["the node's labels", {}, { nodeSelector: "gpu" }, "no other node accepts it (taints, nodeSelector or cordons)"],
  ])("names a lack of %s", (what, options, requests, reason) => {
    const spec = what.includes("labels") ? { nodeSelector: { gpu: "yes" } } : {};
    const live = what.includes("labels") ? pod("x", "a", {}, spec) : pod("x", "a", requests);
    expect(unschedulable([node("a"), node("b", options)], [live])).toEqual([`shop/x: ${reason}`]);
  });

  test("names the combination when each resource alone would fit somewhere", () => {
    const nodes = [node("a"), node("b", { cpu: "1" }), node("c", { memory: "1Gi" })];
    expect(unschedulable(nodes, [pod("x", "a", { cpu: "2", memory: "2Gi" })])).toEqual([
      "shop/x: no other node has enough CPU, memory and pod slots free",
    ]);
  });

  test("places the largest pods first and reserves what it has placed", () => {
    const pods = [
      pod("small", "a", { memory: "1Gi" }),
      pod("large", "a", { memory: "3Gi" }),
      pod("more", "a", { memory: "2Gi" }),
    ];
    expect(unschedulable([node("a"), node("b")], pods)).toEqual([
      "shop/more: no other node has 2048 MiB of memory free",
    ]);
  });

  test("ignores pods that a drain leaves", () => {
    const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "d", uid: "d", controller: true };
    const agent = pod("agent", "a", { memory: "9Gi" });
    agent.metadata!.ownerReferences = [owner];
    expect(unschedulable([node("a"), node("b")], [agent])).toEqual([]);
  });
});

describe("requests", () => {
  const fits = (spec: Partial<V1Pod["spec"]>, requests = { memory: "1Gi" }) =>
    unschedulable([node("a"), node("b", { memory: "2Gi" })], [pod("x", "a", requests, spec)]).length === 0;

  test.each<[string, Partial<V1Pod["spec"]>, boolean]>([
    ["containers alone", {}, true],
    ["an init container larger than the containers", { initContainers: [init({ memory: "3Gi" })] }, false],
    ["an init container that fits", { initContainers: [init({ memory: "2Gi" })] }, true],
    [
      "init containers, which run one after the other",
      { initContainers: [init({ memory: "2Gi" }), init({ memory: "2Gi" })] },
      true,
    ],
    ["a sidecar beside the containers", { initContainers: [init({ memory: "1.5Gi" }, "Always")] }, false],
    [
      "a sidecar before an init container",
      { initContainers: [init({ memory: "1Gi" }, "Always"), init({ memory: "1.5Gi" })] },
      false,
    ],
    [
      "a sidecar after an init container",
      { initContainers: [init({ memory: "1.5Gi" }), init({ memory: "1Gi" }, "Always")] },
      true,
    ],
    ["the runtime's overhead", { overhead: { memory: "1.5Gi" } }, false],
  ])("include %s", (_, spec, expected) => expect(fits(spec)).toBe(expected));
});

describe("a taint", () => {
  const taint = { key: "gpu", value: "yes", effect: "NoSchedule" };
  test.each<[string, { key?: string; operator?: string; value?: string; effect?: string }, boolean]>([
    ["an equal toleration", { key: "gpu", value: "yes", effect: "NoSchedule" }, true],
    ["every effect of its key", { key: "gpu", value: "yes" }, true],
    ["the key's existence", { key: "gpu", operator: "Exists" }, true],
    ["everything", { operator: "Exists" }, true],
    ["another value", { key: "gpu", value: "no" }, false],
    ["another effect", { key: "gpu", value: "yes", effect: "NoExecute" }, false],
    ["another key", { key: "cpu", operator: "Exists" }, false],
  ])("and a toleration of %s", (_, toleration, expected) => expect(isTolerated(taint, [toleration])).toBe(expected));

  test("repels pods, unless it only prefers to", () => {
    const pods = [pod("x", "a", {})];
    expect(unschedulable([node("a"), node("b", { taints: [taint] })], pods)).toHaveLength(1);
    expect(unschedulable([node("a"), node("b", { taints: [{ ...taint, effect: "PreferNoSchedule" }] })], pods)).toEqual(
      [],
    );
  });
});
