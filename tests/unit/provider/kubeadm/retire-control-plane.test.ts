import { describe, expect, test, vi } from "vitest";
import { retireControlPlane, retireMachine } from "../../../../provider/kubeadm/retire-control-plane";
import { TAKEN_OUT } from "../../../../render/api-traffic";
import { testContext } from "../../../support/context";
import { expectInOrder } from "../../../support/expect-in-order";
import { settle, useFakeTime } from "../../../support/fake-time";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const ETCD = ["cp-1", "cp-3"]
  .map((name) => `1a, started, ${name}, https://${name}:2380, https://${name}:2379, false\n`)
  .concat("--- health ---\n", "https://cp-1:2379 is healthy: ok\n")
  .join("");

/** Retires cp-3; cp-1 stays. Both machines' scripts are in one list. */
function retire(refusal?: Error) {
  const scripts: string[] = [];
  const answer = (script: string) => {
    scripts.push(script);
    if (script.startsWith("sed")) return { stdout: "cp-3" };
    if (script.includes("show stat")) return { code: TAKEN_OUT };
    if (script.includes("member remove")) return refusal ?? {};
    return script.includes("member list") ? { stdout: ETCD } : {};
  };
  const [machine, other] = ["cp-3", "cp-1"].map((name) => new ScriptedMachine(answer, name).remote);
  const retirement = { node: "cp-3", others: [other!], abandoned: false };
  return { scripts, done: retireControlPlane(testContext(), machine!, retirement) };
}

test("clients use other API servers before a control plane leaves etcd, and etcd has another leader", async () => {
  const { scripts, done } = retire();
  await settle(done);
  const steps = ["answer.sh drain", "etcdctl move-leader", "etcdctl member remove", "kubeadm reset", "systemctl stop"];
  expectInOrder(scripts.join("\n"), ...steps);
  expect(scripts.at(-1)).toContain("rm -f /run/kubewright-api-balancer-answer");
});

test("a control plane that etcd does not let go serves again, and nothing on it is deleted", async () => {
  const { scripts, done } = retire(new Error("not enough started members"));
  await expect(settle(done)).rejects.toThrow("not enough started members");
  expect(scripts.at(-1)).toContain("answer.sh ready");
  expect(scripts.join()).not.toContain("kubeadm reset --force");
});

describe("a machine that is deleted as a whole", () => {
  const connection = { host: "10.0.0.3", port: 22, user: "root", name: "cp-3" };

  function retireWhole(machineId: () => Promise<string>, refusal?: Error) {
    const scripts: string[] = [];
    const machine = new ScriptedMachine((script) => {
      scripts.push(script);
      return script.includes("show stat") ? { code: TAKEN_OUT } : {};
    }, "cp-3");
    const context = testContext();
    context.connections.get = () => Object.assign(machine, { machineId, connection }).remote;
    const leave = async () => {
      scripts.push("leaves etcd");
      if (refusal) throw refusal;
    };
    return { scripts, done: retireMachine(context, { connection, instance: "id-3" }, { node: "cp-3", leave }) };
  }

  test("sends its clients to the others before it leaves etcd", async () => {
    const { scripts, done } = retireWhole(async () => "id-3");
    await settle(done);
    expectInOrder(scripts.join("\n"), "answer.sh drain", "etcdctl move-leader", "leaves etcd");
    expect(scripts.join()).not.toContain("answer.sh ready");
  });

  test("serves again when etcd does not let it go", async () => {
    const { scripts, done } = retireWhole(async () => "id-3", new Error("not enough started members"));
    await expect(settle(done)).rejects.toThrow("not enough started members");
    expect(scripts.at(-1)).toContain("answer.sh ready");
  });

  test.each([
    ["is another one", async () => "id-4"],
    ["does not answer", () => Promise.reject(new Error("connect EHOSTUNREACH"))],
  ])("leaves etcd without a change of it when it %s", async (_reason, machineId) => {
    const { scripts, done } = retireWhole(machineId);
    await settle(done);
    expect(scripts).toEqual(["leaves etcd"]);
  });
});
