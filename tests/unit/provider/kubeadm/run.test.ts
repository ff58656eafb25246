import { describe, expect, test } from "vitest";
import { DeadlineError } from "../../../../common/errors";
import { extractCause, readProgress, runKubeadm, type KubeadmRun } from "../../../../provider/kubeadm/run";
import { testContext } from "../../../support/context";
import { ScriptedMachine, type Answer } from "../../../support/scripted-machine";

const signal = new AbortController().signal;
const run: KubeadmRun = {
  verb: "join",
  flags: ["--skip-phases=preflight"],
  config: "token: abcdef.0123456789abcdef\n",
  timeout: 120,
  action: "fix the cause, then run `pulumi up` again",
};

function kubeadm(answer: Answer | Error, changes: Partial<KubeadmRun> = {}) {
  const machine = new ScriptedMachine((script) => (script.startsWith("rm -f") ? {} : answer), "worker-1 (10.0.0.2)");
  const messages: string[] = [];
  const context = testContext({ status: (text) => void messages.push(text) });
  return { machine, messages, done: runKubeadm(context, machine.remote, { ...run, ...changes }) };
}

describe("kubeadm", () => {
  test("gets its configuration by stdin, runs under a lock and shows its phases", async () => {
    const lines = ["[preflight] Running pre-flight checks", "I1126 other", "[kubelet-start] Starting the kubelet"];
    const { machine, messages, done } = kubeadm({ lines });
    await done;
    const [script = "", removal = ""] = machine.scripts;
    expect(script).toContain("flock -o -w 120 /run/kubewright-kubeadm.lock");
    expect(script).toContain(
      "kubeadm join --config /etc/kubernetes/kubewright-kubeadm.yaml -v=1 --skip-phases=preflight",
    );
    expect(script).not.toContain("abcdef.0123456789abcdef");
    expect(machine.inputs).toEqual([run.config]);
    expect(messages).toEqual(["kubeadm join: preflight", "kubeadm join: kubelet-start"]);
    expect(removal).toBe("rm -f /etc/kubernetes/kubewright-kubeadm.yaml /etc/kubernetes/kubewright-kubeadm.yaml.*");
  });

  test("creates the folder of static pods, which a worker's kubelet reads too", async () => {
    const { machine, done } = kubeadm({});
    await done;
    expect(machine.scripts[0]).toMatch(/^mkdir -p .*\/etc\/kubernetes\/manifests$/m);
  });

  test("waits for an earlier run as long as the patience allows", async () => {
    const machine = new ScriptedMachine(() => ({}));
    machine.patience = 10;
    await runKubeadm(testContext(), machine.remote, run);
    expect(machine.scripts[0]).toContain("flock -o -w 1200 ");
  });

  test("that fails is an error with its messages and the next action", async () => {
    const lines = ["I1126 10:00:00.000000    1234 x.go:1] trace", "error execution phase preflight: port in use"];
    const { machine, done } = kubeadm({ code: 1, lines });
    await expect(done).rejects.toThrow(
      "kubeadm join failed on worker-1 (10.0.0.2): error execution phase preflight: port in use; fix the cause",
    );
    expect(machine.scripts.at(-1)).toContain("rm -f");
  });

  test("that exceeds its deadline is an error with its last output", async () => {
    const deadline = new DeadlineError({
      step: "kubeadm join",
      machine: "worker-1",
      cause: "not finished after 120 s",
    });
    await expect(kubeadm(deadline).done).rejects.toThrow(
      /not finished after 120 s; its last output: kubeadm printed nothing; fix the cause/,
    );
  });
});

test.each<[string, string[], string]>([
  [
    "errors only",
    ["[preflight] x", "[ERROR Port-6443]: Port 6443 is in use", "other"],
    "[ERROR Port-6443]: Port 6443 is in use",
  ],
  ["timeouts", ["timed out waiting for the condition", "done"], "timed out waiting for the condition"],
  ["the last lines where there is no error", ["a", "b", "c", "d"], "b; c; d"],
  ["no klog lines", ["I1126 10:00:00.0    1 x.go:1] trace", "last"], "last"],
  ["messages without klog prefix", ["E1126 10:00:00.0    1 x.go:1] couldn't connect"], "couldn't connect"],
  ["each message once", ["error: a", "error: a"], "error: a"],
  ["nothing", [], "kubeadm printed nothing"],
])("the cause holds %s", (_, lines, expected) => expect(extractCause(lines)).toBe(expected));

test("the progress is read from the machine", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: "started\n" }));
  expect(await readProgress(machine.remote, "join", "/etc/kubernetes/kubelet.conf", signal)).toBe("started");
  expect(machine.scripts[0]).toContain(
    "[ -e /var/lib/kubewright/kubeadm/join.done ] && [ -e /etc/kubernetes/kubelet.conf ]",
  );
});
