import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { fc } from "../../../support/fast-check";
import { expect, test } from "vitest";
import { EvictionBatches } from "../../../../provider/kube/eviction-batches";
import { isPodReady, podUid, workloadOf } from "../../../../provider/kube/pods";

const PATIENCE_SECONDS = 60;

function pod(uid: string, workload: string, { ready = true, terminating = false } = {}): V1Pod {
  return {
    metadata: {
      uid,
      name: uid,
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: workload, uid: workload, controller: true }],
      ...(terminating ? { deletionTimestamp: new Date(0) } : {}),
    },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

const pods = (count: number, workload = "web", ready = true) =>
  Array.from({ length: count }, (_, index) => pod(`${workload}-${index}`, workload, { ready }));
const uids = (list: readonly V1Pod[]) => list.map(podUid);

test("one pod of each workload is evicted at a time", () => {
  const leaving = [...pods(3, "web"), ...pods(2, "api")];
  expect(uids(new EvictionBatches(PATIENCE_SECONDS).next(leaving, leaving, 0))).toEqual(["web-0", "api-0"]);
});

test("a tenth of a large workload is evicted in parallel", () => {
  const leaving = pods(35);
  expect(new EvictionBatches(PATIENCE_SECONDS).next(leaving, leaving, 0)).toHaveLength(3);
});

test("pods that are not Ready are evicted in the first batch", () => {
  const leaving = [...pods(2), ...pods(3, "broken", false)];
  expect(uids(new EvictionBatches(PATIENCE_SECONDS).next(leaving, leaving, 0))).toEqual([
    "web-0",
    "broken-0",
    "broken-1",
    "broken-2",
  ]);
});

test("the next pod waits for a Ready replacement", () => {
  const batches = new EvictionBatches(PATIENCE_SECONDS);
  const [first, second] = pods(2) as [V1Pod, V1Pod];
  expect(uids(batches.next([first, second], [first, second], 0))).toEqual(["web-0"]);
  batches.recordEviction(first, 0);
  expect(batches.next([second], [second], 1_000)).toEqual([]);
  const starting = pod("web-2", "web", { ready: false });
  expect(batches.next([second], [second, starting], 2_000)).toEqual([]);
  expect(uids(batches.next([second], [second, pod("web-2", "web")], 3_000))).toEqual(["web-1"]);
});

test("a replacement that never becomes Ready delays the next pod by the patience", () => {
  const batches = new EvictionBatches(PATIENCE_SECONDS);
  const [first, second] = pods(2) as [V1Pod, V1Pod];
  batches.next([first, second], [first, second], 0);
  batches.recordEviction(first, 0);
  expect(batches.next([second], [second], PATIENCE_SECONDS * 1000)).toEqual([]);
  expect(uids(batches.next([second], [second], PATIENCE_SECONDS * 1000 + 1))).toEqual(["web-1"]);
});

test("a pod whose eviction is still visible as running is not evicted again", () => {
  const batches = new EvictionBatches(PATIENCE_SECONDS);
  const leaving = pods(1, "broken", false);
  expect(batches.next(leaving, leaving, 0)).toHaveLength(1);
  batches.recordEviction(leaving[0] as V1Pod, 0);
  expect(batches.next(leaving, leaving, 500)).toEqual([]);
});

test("terminating pods are not evicted", () => {
  const leaving = [pod("web-0", "web", { terminating: true })];
  expect(new EvictionBatches(PATIENCE_SECONDS).next(leaving, leaving, 0)).toEqual([]);
});

/** A cluster in which evicted pods vanish and replacements appear in any order. */
class Model {
  readonly batches = new EvictionBatches(PATIENCE_SECONDS);
  now = 0;
  leaving: V1Pod[];
  elsewhere: V1Pod[];
  readonly starting: V1Pod[] = [];
  readonly initial: number;
  private count = 0;

  constructor(on: number, off: number) {
    this.leaving = pods(on);
    this.elsewhere = Array.from({ length: off }, (_, index) => pod(`other-${index}`, "web"));
    this.initial = on + off;
  }

  get ready(): number {
    return [...this.leaving, ...this.elsewhere].filter(isPodReady).length;
  }

  evict(): void {
    for (const evicted of this.batches.next(this.leaving, [...this.leaving, ...this.elsewhere], this.now)) {
      this.batches.recordEviction(evicted, this.now);
      this.leaving = this.leaving.filter((one) => podUid(one) !== podUid(evicted));
      this.starting.push(pod(`new-${++this.count}`, workloadOf(evicted)));
    }
  }

  start(): void {
    const replacement = this.starting.shift();
    if (replacement) this.elsewhere.push(replacement);
  }
}

class Evict implements fc.Command<Model, unknown> {
  check = () => true;
  run(model: Model): void {
    model.evict();
    const allowed = Math.max(1, Math.floor(model.initial / 10));
    expect(model.initial - model.ready).toBeLessThanOrEqual(allowed);
  }
  toString = () => "evict";
}

class StartReplacement implements fc.Command<Model, unknown> {
  check = (model: Readonly<Model>) => model.starting.length > 0;
  run(model: Model): void {
    model.start();
  }
  toString = () => "start replacement";
}

class Wait implements fc.Command<Model, unknown> {
  constructor(private readonly seconds: number) {}
  check = (model: Readonly<Model>) => model.now + this.seconds * 1000 <= PATIENCE_SECONDS * 1000;
  run(model: Model): void {
    model.now += this.seconds * 1000;
  }
  toString = () => `wait(${this.seconds})`;
}

test("within the patience, never more than one pod or a tenth of a workload is missing; all leave in the end", () => {
  const commands = fc.commands(
    [
      fc.constant(new Evict()),
      fc.constant(new StartReplacement()),
      fc.integer({ min: 1, max: 20 }).map((seconds) => new Wait(seconds)),
    ],
    { maxCommands: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 20 }), commands, (on, off, sequence) => {
      const model = new Model(on, off);
      fc.modelRun(() => ({ model, real: undefined }), sequence);
      for (let round = 0; round < 2 * on && model.leaving.length > 0; round++) {
        model.start();
        model.evict();
      }
      expect(model.leaving).toEqual([]);
    }),
  );
});
