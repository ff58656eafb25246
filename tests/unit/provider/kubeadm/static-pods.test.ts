import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  changedComponents,
  readManifests,
  readPodHashes,
  waitForNewPods,
} from "../../../../provider/kubeadm/static-pods";
import { elapse, settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi, httpError } from "../../../support/memory-api";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;
let memory: MemoryApi;
beforeEach(() => {
  memory = new MemoryApi();
  setPod("old", true);
});

function setPod(hash: string, ready: boolean, state?: object): void {
  const metadata = {
    namespace: "kube-system",
    name: "kube-apiserver-cp-1",
    annotations: { "kubernetes.io/config.hash": hash },
  };
  const status = {
    conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    ...(state ? { containerStatuses: [{ state }] } : {}),
  };
  memory.pods.set("kube-system/kube-apiserver-cp-1", { metadata, spec: { nodeName: "cp-1" }, status } as never);
}

test("manifests are compared by their checksums", async () => {
  const read = async (lines: string[]) =>
    await readManifests(new ScriptedMachine(() => ({ stdout: lines.join("\n") })).remote, signal);
  const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(64));
  const before = await read([`${one}  etcd.yaml`, `${two}  kube-apiserver.yaml`]);
  const after = await read([`${one}  etcd.yaml`, `${three}  kube-apiserver.yaml`, `${one}  kube-scheduler.yaml`]);
  expect(changedComponents(before, after)).toEqual(["kube-apiserver", "kube-scheduler"]);
  expect(changedComponents(after, after)).toEqual([]);
});

test("the hashes of the running static pods are read from their mirror pods", async () => {
  expect(await readPodHashes(memory.api, "cp-1")).toEqual(new Map([["kube-apiserver", "old"]]));
});

describe("the wait for new static pods", () => {
  const wait = (messages: string[] = []) =>
    waitForNewPods(memory.api, {
      node: "cp-1",
      components: ["kube-apiserver"],
      before: new Map([["kube-apiserver", "old"]]),
      timeout: 60,
      signal,
      status: (text) => messages.push(text),
    });

  test("does not take the previous API server for the new one", async () => {
    let isDone = false;
    const messages: string[] = [];
    const running = wait(messages).then(() => (isDone = true));
    await elapse(20_000);
    expect(isDone).toBe(false);
    setPod("new", true);
    await settle(running);
    expect(messages).toEqual(["waiting for the new kube-apiserver"]);
  });

  test("outlasts the restart of the API server", async () => {
    const running = wait();
    memory.inject = () => new Error("connect ECONNREFUSED");
    await elapse(10_000);
    memory.inject = () => undefined;
    setPod("new", true);
    await settle(running);
  });

  test("fails with the state of a pod that does not become Ready", async () => {
    setPod("new", false, { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } });
    await expect(settle(wait())).rejects.toThrow(
      /starting the new kube-apiserver failed on cp-1: the new pod is not Ready: CrashLoopBackOff: back-off 40s/,
    );
  });

  test("fails when the kubelet keeps the previous pod, or the API does not answer", async () => {
    await expect(settle(wait())).rejects.toThrow("the kubelet still runs the previous pod");
    memory.pods.clear();
    await expect(settle(wait())).rejects.toThrow("the kubelet has not started the pod");
    memory.inject = () => httpError(503, "not ready");
    await expect(settle(wait())).rejects.toThrow("the API server does not answer: not ready");
  });
});
