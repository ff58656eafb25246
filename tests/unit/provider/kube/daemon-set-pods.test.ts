import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { beforeEach, describe, expect, test, vi } from "vitest";
import { replaceDaemonPods } from "../../../../provider/kube/daemon-set-pods";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const ANNOTATION = "kubewright.dev/config";
const NODES = ["a", "b", "c"];
const START_MS = 3_000;

/** A DaemonSet controller with the strategy OnDelete, and kubelets that start a pod within three seconds. */
class DaemonSet {
  revision = "new";
  observed = true;
  readonly pods = new Map<string, V1Pod>();
  /** Nodes in the order in which their pods were deleted, with the number of seconds since the start. */
  readonly deleted: string[] = [];
  /** Nodes without the image of the new revision. */
  readonly lacking = new Set<string>();
  private readonly start = Date.now();

  addPod(node: string, revision: string, ready: boolean, reason?: string): void {
    const waiting = reason === undefined ? {} : { containerStatuses: [{ state: { waiting: { reason } } }] };
    this.pods.set(node, {
      metadata: {
        name: `flannel-${node}`,
        namespace: "net",
        annotations: { [ANNOTATION]: revision },
        ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "flannel", uid: "1", controller: true }],
      },
      spec: { nodeName: node, containers: [] },
      status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }], ...waiting } as never,
    });
  }

  get api(): never {
    return {
      patience: 1,
      apps: {
        readNamespacedDaemonSet: async () => ({
          metadata: { generation: 2 },
          spec: { selector: { matchLabels: { app: "flannel" } } },
          status: { observedGeneration: this.observed ? 2 : 1, desiredNumberScheduled: NODES.length },
        }),
      },
      core: {
        listNamespacedPod: async () => ({ items: structuredClone([...this.pods.values()]) }),
        deleteNamespacedPod: async ({ name }: { name: string }) => this.deletePod(name.replace("flannel-", "")),
      },
    } as never;
  }

  private deletePod(node: string): void {
    if (!this.pods.has(node)) throw httpError(404, "not found");
    this.deleted.push(`${node} ${Math.floor((Date.now() - this.start) / 1000)} s`);
    const lacks = this.lacking.has(node);
    this.addPod(node, this.revision, false, lacks ? "ErrImageNeverPull" : "ContainerCreating");
    if (!lacks) setTimeout(() => this.addPod(node, this.revision, true), START_MS);
  }
}

let daemonSet: DaemonSet;
let statuses: string[];
beforeEach(() => {
  daemonSet = new DaemonSet();
  statuses = [];
  for (const node of NODES) daemonSet.addPod(node, "old", true);
});
const replace = (timeout = 60) =>
  settle(
    replaceDaemonPods(daemonSet.api, {
      namespace: "net",
      name: "flannel",
      annotation: ANNOTATION,
      value: "new",
      timeout,
      signal: new AbortController().signal,
      status: (message) => void statuses.push(message),
    }),
  );

describe("pods of a DaemonSet", () => {
  test("are replaced one first, and the others once its pod is Ready", async () => {
    await replace();
    expect(daemonSet.deleted).toEqual(["a 0 s", "b 3 s", "c 3 s"]);
    expect([...daemonSet.pods.values()].map(({ metadata }) => metadata?.annotations?.[ANNOTATION])).toEqual(
      Array(3).fill("new"),
    );
    expect(statuses).toContain(
      "waiting for the pods of flannel: 0 of 3 pods have the new revision and are Ready: " +
        "net/flannel-a on a (ContainerCreating), net/flannel-b on b, net/flannel-c on c",
    );
  });

  test("that have the revision stay", async () => {
    for (const node of NODES) daemonSet.addPod(node, "new", true);
    await replace();
    expect(daemonSet.deleted).toEqual([]);
  });

  test("stay, all but one, when that one does not become Ready; it is named with its reason", async () => {
    daemonSet.lacking.add("a");
    await expect(replace()).rejects.toThrow(
      /replacing the pods of flannel failed: 0 of 3 .*flannel-a on a \(ErrImageNeverPull\).* after 60 s; the pods of/,
    );
    expect(daemonSet.deleted).toEqual(["a 0 s"]);
    await expect(replace()).rejects.toThrow(/0 of 3/); // nor by the next run
    expect(daemonSet.deleted).toEqual(["a 0 s"]);
  });

  test("are not deleted before the controller has seen the new template, which it would not use", async () => {
    daemonSet.observed = false;
    setTimeout(() => (daemonSet.observed = true), 5_000);
    await replace();
    expect(daemonSet.deleted[0]).toBe("a 5 s");
  });

  test("begin with one that is Ready, so that a node that is down does not stop the others", async () => {
    daemonSet.addPod("a", "old", false);
    daemonSet.lacking.add("a");
    await expect(replace()).rejects.toThrow(/2 of 3 pods .*flannel-a on a/);
    expect(daemonSet.deleted).toEqual(["b 0 s", "a 3 s", "c 3 s"]);
  });
});
