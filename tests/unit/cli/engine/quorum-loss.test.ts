import { expect, test, vi } from "vitest";
import { explainQuorumLoss } from "../../../../cli/engine/quorum-loss";
import type { EtcdMember } from "../../../../provider/kubeadm/etcd-status";
import { fakeSession, fakeStack } from "../fake-stack";

let members: EtcdMember[] | undefined;
vi.mock("../../../../provider/kubeadm/etcd-status", async (original) => ({
  ...(await original<object>()),
  readMembers: async () => members,
}));

const NAMES = ["control-plane-1", "control-plane-2", "control-plane-3"];

function explain(running: string[], names = NAMES) {
  const controlPlanes = names.map((name, index) => ({ name, host: `10.0.0.${index + 10}` }));
  const stack = fakeStack([{ type: "kubewright:kube:Node", name: "worker-1-node", inputs: { controlPlanes } }]);
  const session = fakeSession();
  const get = ({ name = "" }) => ({
    connection: { name },
    read: () => (running.includes(name) ? Promise.resolve({ stdout: "" }) : Promise.reject(new Error("timed out"))),
  });
  const connections = { ...session.provider.connections, get };
  return explainQuorumLoss(stack, { ...session, provider: { ...session.provider, connections } } as never);
}

test("two of three control planes gone: what still works, and how to recover", async () => {
  members = undefined;
  const error = await explain(["control-plane-1"]);
  expect(error?.message).toMatch(
    /2 of 3 control planes do not answer \(control-plane-2, control-plane-3\), and etcd has no majority/,
  );
  expect(error?.message).toMatch(/running pods and Services continue, but the API accepts no change/);
  expect(error?.message).toMatch(
    /start enough of control-plane-2, control-plane-3 again.*npm run recover -- control-plane-1/,
  );
});

test("an etcd that answers nowhere although all machines run is a matter of its log", async () => {
  members = undefined;
  expect((await explain(NAMES))?.message).toMatch(/does not answer on any of the 3 control planes.*crictl logs/s);
});

test("no explanation while etcd answers, or for a single control plane", async () => {
  members = [{ id: "1a", name: "control-plane-1", isHealthy: true, isLearner: false }];
  expect(await explain(["control-plane-1"])).toBeUndefined();
  members = undefined;
  expect(await explain([], ["control-plane-1"])).toBeUndefined();
});
