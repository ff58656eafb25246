import { expect, test, vi } from "vitest";
import type { RestoreContext } from "../../../../cli/backup/restore";
import { expectedNodes, nodeChanges, repairNodes } from "../../../../cli/backup/restored-nodes";
import type { KubeApi } from "../../../../provider/kube/api";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { ScriptedMachine } from "../../../support/scripted-machine";
import { CLUSTER, fakeSession, fakeStack } from "../fake-stack";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

test("nodes of machines stay, nodes that the user has joined stay, others of the backup have left", () => {
  const node = (name: string) => ({ metadata: { name } });
  const before = ["control-plane-1", "worker-2", "mine"].map(node);
  expect(
    nodeChanges(["control-plane-1", "ghost", "mine", "worker-1"], before, ["control-plane-1", "worker-1"]),
  ).toEqual({
    left: ["ghost"],
    joined: ["worker-2"],
    unknown: [],
  });
});

test("without an API, nodes that are no machines of the stack are not known to have left", () => {
  expect(nodeChanges(["control-plane-1", "mine"], undefined, ["control-plane-1", "worker-1"])).toEqual({
    left: [],
    joined: ["worker-1"],
    unknown: ["mine"],
  });
});

test("a machine whose node neither the backup nor the API has joins again", () => {
  const before = [{ metadata: { name: "control-plane-1" } }];
  expect(nodeChanges(["control-plane-1"], before, ["control-plane-1", "worker-2"]).joined).toEqual(["worker-2"]);
});

test("nodes that were Ready must report, and machines whose node was deleted; nodes that were down need not", () => {
  const node = (name: string, status: string) => ({
    metadata: { name },
    status: { conditions: [{ type: "Ready", status }] },
  });
  const before = [node("control-plane-1", "True"), node("worker-2", "Unknown"), node("mine", "True")];
  expect(expectedNodes(before, ["control-plane-1", "worker-1", "worker-2"])).toEqual([
    ...["control-plane-1", "mine", "worker-1"],
  ]);
  expect(expectedNodes(undefined, ["control-plane-1", "worker-1"])).toEqual(["control-plane-1", "worker-1"]);
});

/** An API whose nodes are those of a backup, and whose kubelets all report. */
function restoredApi(...names: readonly string[]): { memory: MemoryApi; api: KubeApi } {
  const memory = new MemoryApi();
  for (const name of names) memory.nodes.set(name, { metadata: { name } });
  const read = async () => ({ spec: { renewTime: Date.now() } });
  return { memory, api: { ...memory.api, objects: { read } } as unknown as KubeApi };
}

function restoreContext(): { context: RestoreContext; machines: ScriptedMachine[]; lines: string[] } {
  const session = fakeSession();
  const machines: ScriptedMachine[] = [];
  const get = (connection: { name: string }) => {
    const machine = Object.assign(new ScriptedMachine(() => undefined, connection.name), { connection });
    machines.push(machine);
    return machine;
  };
  const provider = { ...session.provider, connections: { get } };
  const context = { stack: fakeStack(CLUSTER), session: { ...session, provider } } as unknown as RestoreContext;
  return { context, machines, lines: session.lines };
}

test("a node that has left is deleted; one that has joined is as it was, and its kubelet starts again", async () => {
  const { memory, api } = restoredApi("control-plane-1", "ghost");
  const { context, machines } = restoreContext();
  const conditions = [{ type: "Ready", status: "True" }];
  const worker = { metadata: { name: "worker-1", labels: { tier: "web" } }, spec: { podCIDR: "10.244.7.0/24" } };
  const before = [{ metadata: { name: "control-plane-1" } }, worker].map((node) => ({
    ...node,
    status: { conditions },
  }));
  await settle(repairNodes(context, api, before), 500);
  expect([...memory.nodes.keys()]).toEqual(["control-plane-1", "worker-1"]);
  expect(memory.nodes.get("worker-1")).toMatchObject(worker);
  expect(machines.map(({ label, scripts }) => [label, scripts])).toEqual([
    ["control-plane-1", []],
    ["worker-1", ["systemctl restart kubelet"]],
  ]);
});

test("where no API answered before, no node is deleted, and the command names it", async () => {
  const { memory, api } = restoredApi("control-plane-1", "mine", "worker-1");
  const { context, lines } = restoreContext();
  await settle(repairNodes(context, api, undefined), 500);
  expect(memory.countOf("deleteNode")).toBe(0);
  expect(lines).toContain("mine: no machine of this stack; delete the nodes that have left");
});
