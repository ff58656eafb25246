import { afterEach, expect, test, vi } from "vitest";
import { assertQuorum, etcdForecast, withEtcdForecast } from "../../../../cli/nodes/etcd-forecast";
import { configOf } from "../../../../components/program/program-config";
import { planFrom, type Plan } from "../../../../cli/preview/plan";
import type { EtcdMember } from "../../../../provider/kubeadm/etcd-status";
import { fakeSession, fakeStack } from "../fake-stack";

let abandoned: string[] = [];
/** Members by the machine that answers; the others are stopped. */
let answers: Record<string, EtcdMember[]> = {};

vi.mock("../../../../cli/engine/stack-config", () => ({
  readStackConfig: async () => configOf({ recovery: JSON.stringify({ abandoned }) }),
}));
vi.mock("../../../../provider/kubeadm/etcd-status", async (original) => ({
  ...(await original<object>()),
  readMembers: async ({ name }: { name: string }) => answers[name],
}));
afterEach(() => {
  [abandoned, answers] = [[], {}];
});

const NAMES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const member = (name: string, isHealthy = true): EtcdMember => ({ id: "1a", name, isHealthy, isLearner: false });
const withDead = (...dead: string[]) => NAMES.map((name) => member(name, !dead.includes(name)));
const stackOf = (...names: string[]) => {
  const controlPlanes = names.map((name, index) => ({ name, host: `10.0.0.${index + 10}` }));
  return fakeStack([{ type: "kubewright:kube:Node", name: "worker-1-node", inputs: { controlPlanes } }]);
};
const stack = stackOf(...NAMES);
const forecast = (...names: string[]) =>
  etcdForecast(
    stack,
    fakeSession(),
    names.map((name) => ({ name, returns: false })),
  );

test("the forecast is read through any control plane that answers", async () => {
  answers = { "control-plane-3": withDead("control-plane-1") };
  expect(await forecast("control-plane-1")).toEqual([
    { text: "etcd has 3 members, 2 healthy: removing control-plane-1 leaves 2 of 2", isSafe: true },
  ]);
});

test("workers, and the only control plane, have none", async () => {
  answers = { "control-plane-1": withDead() };
  expect(await forecast("worker-1")).toEqual([]);
  const departure = { name: "control-plane-1", returns: true };
  expect(await etcdForecast(stackOf("control-plane-1"), fakeSession(), [departure])).toEqual([]);
});

test("a removal without a majority afterwards is refused before anything changes", async () => {
  answers = { "control-plane-1": withDead("control-plane-2") };
  const departure = { name: "control-plane-3", returns: true };
  await expect(assertQuorum(stack, fakeSession(), departure)).rejects.toThrow(
    /control-plane-3.*removing control-plane-3 leaves 1 of 2, and etcd needs a majority.*nothing was changed/s,
  );
  abandoned = ["control-plane-3"];
  expect(await assertQuorum(stack, fakeSession(), departure)).toEqual([expect.stringContaining("leaves 1 of 2")]);
});

test("no control plane can leave an etcd that does not answer", async () => {
  await expect(assertQuorum(stack, fakeSession(), { name: "control-plane-2", returns: false })).rejects.toThrow(
    /etcd does not answer on any of control-plane-1, control-plane-2, control-plane-3/,
  );
});

const EMPTY = planFrom({ steps: [], notices: [] });
const planOf = (machines: Record<string, Plan["machines"][number]["outcome"]>): Plan => ({
  ...EMPTY,
  machines: Object.entries(machines).map(([machine, outcome]) => ({ machine, outcome, changes: [] })),
});

test("a plan tells what etcd will be after each control plane that leaves", async () => {
  answers = { "control-plane-1": withDead() };
  const noticesOf = async (machines: Parameters<typeof planOf>[0]) =>
    (await withEtcdForecast(stack, fakeSession(), planOf(machines))).notices;
  expect(await noticesOf({ "control-plane-2": "removed", "control-plane-3": "leaves" })).toEqual([
    "etcd has 3 members, 3 healthy: removing control-plane-2 leaves 2 of 2",
    "etcd has 2 members, 2 healthy: removing control-plane-3 leaves 1 of 1",
  ]);
  expect(await noticesOf({ "control-plane-1": "recreated", "control-plane-2": "rejoins" })).toEqual([
    "etcd has 3 members, 3 healthy: removing control-plane-1 leaves 2 of 2",
    "etcd has 3 members, 3 healthy: removing control-plane-2 leaves 2 of 2",
  ]);
  expect(await noticesOf({ "control-plane-1": "changed", "worker-1": "removed" })).toEqual([]);
});

test("a plan names a removal that the run refuses", async () => {
  answers = { "control-plane-1": withDead("control-plane-2") };
  const { notices } = await withEtcdForecast(stack, fakeSession(), planOf({ "control-plane-3": "recreated" }));
  expect(notices).toEqual([
    "etcd has 3 members, 2 healthy: removing control-plane-3 leaves 1 of 2. The run refuses the removal, because no " +
      "majority would remain",
  ]);
});
