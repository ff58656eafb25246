import { expect, test, vi } from "vitest";
import { chooseReplacement, replaceNode, replacementSteps } from "../../../../cli/nodes/replace";
import { configOf } from "../../../../components/program/program-config";
import { fakeApi, fakeSession, fakeStack, CLUSTER, urnOf } from "../fake-stack";

const changeStackConfig = vi.hoisted(() => vi.fn(async () => undefined));
const run = vi.hoisted(() => vi.fn(async () => undefined));
const resetMachine = vi.hoisted(() => vi.fn(async () => undefined));
vi.mock("../../../../cli/engine/stack-config", async (original) => ({
  ...(await original<object>()),
  changeStackConfig,
}));
vi.mock("../../../../common/process", () => ({ run }));
vi.mock("../../../../cli/nodes/reset", async (original) => ({ ...(await original<object>()), resetMachine }));

const config = configOf({ workers: '{"count":2}' });
const urn = urnOf("kubewright:docker:Machine", "worker-1");
const joined = { machine: urn, contents: [urnOf("kubewright:kubeadm:Join", "worker-1-join")] };

test("a created machine is recreated, and a machine of the user rejoins", () => {
  expect(chooseReplacement(config, "worker-1", joined, false)).toEqual({ kind: "recreate", urn });
  const own = { contents: joined.contents };
  expect(chooseReplacement(config, "old-server", own, false)).toEqual({ kind: "rejoin", state: own });
});

test("with surge the pool creates the next number, and skips this one", () => {
  expect(chooseReplacement(config, "worker-1", joined, true)).toEqual({
    kind: "surge",
    newNode: "worker-3",
    skip: "workers.skip[0]",
    number: 1,
  });
  expect(() => chooseReplacement(config, "old-server", joined, true)).toThrow(/replace it without --surge/);
});

test("the plan lists the steps in their order", () => {
  expect(replacementSteps({ kind: "surge", newNode: "worker-3", skip: "", number: 1 }, "worker-1")).toEqual([
    "",
    "Plan for worker-1:",
    "  1. a new machine worker-3 is created, joins and becomes Ready",
    "  2. worker-1 is drained: its pods move to other nodes within their disruption budgets",
    "  3. worker-1 leaves the cluster",
    "  4. the machine of worker-1 is deleted, and its number is not used again (skip)",
  ]);
});

const node = { name: "worker-1", ready: true };
function order(replacement: ReturnType<typeof chooseReplacement>, isReady = true, machineID = "id-of-worker-1") {
  const api = fakeApi({ ...node, ready: isReady });
  Object.assign(api.core, {
    readNode: async () => {
      const [live] = (await api.core.listNode()).items;
      return { ...live, status: { ...live?.status, nodeInfo: { machineID } } };
    },
  });
  return { stack: fakeStack(CLUSTER), api, name: "worker-1", replacement, session: fakeSession() };
}

test("a recreated machine is marked first, and its machine-id is named to the run", async () => {
  const up = vi.fn(async () => undefined);
  await replaceNode(order({ kind: "recreate", urn }), up);
  expect(run).toHaveBeenLastCalledWith("pulumi", ["state", "taint", urn, "--yes", "--stack", "dev"], { cwd: "/" });
  expect(up).toHaveBeenCalledWith({ rebuilt: ["id-of-worker-1"] });
});

test.each([
  ["a Ready node is removed", true, "id-of-worker-1", "untaint"],
  ["a node that is not Ready is removed", false, "id-of-worker-1", "untaint"],
  ["a node on another machine stays", true, "id-of-a-new-machine", "taint"],
])("after a failed drain the mark of %s", async (_, isReady, machineId, verb) => {
  const up = () => Promise.reject(new Error("drain failed"));
  const replacement = order({ kind: "recreate", urn }, isReady, machineId);
  await expect(replaceNode(replacement, up)).rejects.toThrow("drain failed");
  expect(run).toHaveBeenLastCalledWith("pulumi", expect.arrayContaining([verb]), expect.anything());
});

test("a surge is recorded in the configuration, a rejoin resets the machine first", async () => {
  const up = vi.fn(async () => undefined);
  await replaceNode(order({ kind: "surge", newNode: "worker-3", skip: "workers.skip[0]", number: 1 }), up);
  expect(changeStackConfig).toHaveBeenCalledWith(expect.anything(), { "workers.skip[0]": 1 });
  await replaceNode(order({ kind: "rejoin", state: joined }), up);
  expect(resetMachine.mock.invocationCallOrder[0]).toBeLessThan(up.mock.invocationCallOrder[1] ?? 0);
  expect(up).toHaveBeenCalledTimes(2);
});
