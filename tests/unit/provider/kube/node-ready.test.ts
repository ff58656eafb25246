import { beforeEach, describe, expect, test, vi } from "vitest";
import { waitUntilNotReady, waitUntilReady } from "../../../../provider/kube/node-ready";
import { type FakeCluster, fakeCluster } from "../../../support/fake-cluster";
import { elapse, settle, useFakeTime } from "../../../support/fake-time";
import type { MemoryApi } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;
let memory: MemoryApi;
let cluster: FakeCluster;

beforeEach(async () => {
  ({ memory, cluster } = await fakeCluster("a"));
});

describe("waiting for Ready", () => {
  const wait = (messages: string[] = [], node = "a") =>
    waitUntilReady(memory.api, { node, timeout: 30, signal, status: (text) => messages.push(text) });

  test("ends when the node is Ready, and reports each cause once", async () => {
    const conditions = [{ type: "Ready", status: "False", message: "network plugin is not ready" }];
    await memory.api.core.patchNodeStatus({ name: "a", body: { status: { conditions } } });
    const messages: string[] = [];
    const running = wait(messages);
    await elapse(3_000);
    await cluster.setReady("a", true);
    expect((await settle(running)).metadata?.name).toBe("a");
    expect(messages).toEqual(["waiting for Ready", "waiting for Ready: network plugin is not ready"]);
  });

  test("fails with the node's last state", async () => {
    await cluster.setReady("a", false);
    await expect(settle(wait())).rejects.toThrow(/on a: the node is not Ready.*journalctl -u kubelet/);
    await expect(settle(wait([], "x"))).rejects.toThrow("the node has not registered");
  });
});

describe("waiting until a node no longer seems to be Ready", () => {
  const wait = () => waitUntilNotReady(memory.api, { node: "a", timeout: 30, signal, status: () => undefined });

  test("ends when the controller manager misses its reports", async () => {
    await cluster.setReady("a", true);
    const running = wait();
    await elapse(10_000);
    await cluster.setReady("a", false);
    await settle(running);
  });

  test("fails where a machine runs under the name", async () => {
    await cluster.setReady("a", true);
    await expect(settle(wait())).rejects.toThrow(/on a: a node of this name is Ready, also after 30 s.*another name/);
  });
});
