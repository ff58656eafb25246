import { fc } from "../../../support/fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { POOL_LABEL } from "../../../../common/labels";
import { PoolGate, withinPoolLimit, type PoolGateOptions } from "../../../../provider/kube/pool-gate";
import { FakeCluster } from "../../../support/fake-cluster";
import { elapse, settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

let memory: MemoryApi;
let cluster: FakeCluster;
let gate: PoolGate;

async function newPool(nodes: readonly string[]): Promise<void> {
  memory = new MemoryApi();
  cluster = new FakeCluster(memory.api);
  gate = new PoolGate();
  for (const name of nodes) await cluster.node(name, { labels: { [POOL_LABEL]: "workers" } });
}

function remove(node: string, work: () => Promise<unknown>, options: Partial<PoolGateOptions> = {}) {
  const signal = new AbortController().signal;
  const limits = {
    gate,
    pool: "workers",
    maxUnavailable: 1,
    node,
    timeout: 60,
    signal,
    status: () => undefined,
    ...options,
  };
  return withinPoolLimit(memory.api, limits, work);
}

describe("a pool", () => {
  beforeEach(async () => await newPool(["p1", "p2", "p3"]));
  const nothing = async () => undefined;

  test("removes a node immediately while all others are available", async () => {
    expect(await settle(remove("p1", async () => "done"))).toBe("done");
  });

  test("waits for a node that is not Ready, says which, and fails at the deadline", async () => {
    await cluster.setReady("p3", false);
    const messages: string[] = [];
    const running = remove("p1", nothing, { timeout: 5, status: (text) => messages.push(text) });
    await expect(settle(running)).rejects.toThrow(
      /p3 is not Ready; pool workers allows 1 unavailable at a time.*nothing was changed/,
    );
    expect(messages[0]).toBe("p1 waits for its pool workers: p3 is not Ready");
  });

  test("counts a cordoned node", async () => {
    await memory.api.core.patchNode({ name: "p2", body: { spec: { unschedulable: true } } });
    await expect(settle(remove("p1", nothing, { timeout: 2 }))).rejects.toThrow("p2 is cordoned");
  });

  test("does not count the node itself", async () => {
    await cluster.setReady("p1", false);
    expect(await settle(remove("p1", async () => "done"))).toBe("done");
  });

  test("does not count nodes of other pools", async () => {
    await cluster.node("q1", { ready: false, labels: { [POOL_LABEL]: "other" } });
    expect(await settle(remove("p1", async () => "done"))).toBe("done");
  });

  test("continues once the other node is back", async () => {
    await cluster.setReady("p3", false);
    const running = remove("p1", async () => "done");
    await elapse(5_000);
    await cluster.setReady("p3", true);
    expect(await settle(running)).toBe("done");
  });

  test("frees the slot of a removal that failed", async () => {
    await expect(settle(remove("p1", () => Promise.reject(new Error("failed"))))).rejects.toThrow("failed");
    expect(await settle(remove("p2", async () => "done"))).toBe("done");
  });

  test("waits as long as another removal runs", async () => {
    let finish = (): void => undefined;
    const first = remove("p1", () => new Promise<void>((resolve) => (finish = resolve)));
    await elapse(100);
    let isSecondRemoved = false;
    const second = remove("p2", async () => void (isSecondRemoved = true));
    await elapse(10_000);
    expect(isSecondRemoved).toBe(false);
    finish();
    await settle(Promise.all([first, second]));
    expect(isSecondRemoved).toBe(true);
  });
});

test("at most maxUnavailable nodes are ever away, and all removals end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 8 }),
      async (maxUnavailable, durations) => {
        await newPool(durations.map((_, index) => `n${index}`));
        let away = 0;
        let mostAway = 0;
        const removals = durations.map((duration, index) =>
          remove(
            `n${index}`,
            async () => {
              mostAway = Math.max(mostAway, ++away);
              await new Promise((resolve) => setTimeout(resolve, duration));
              away--;
            },
            { maxUnavailable, timeout: 300 },
          ),
        );
        await settle(Promise.all(removals), 500);
        expect(mostAway).toBe(Math.min(maxUnavailable, durations.length));
      },
    ),
    { numRuns: 30 },
  );
});
