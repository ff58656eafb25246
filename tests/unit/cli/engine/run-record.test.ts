import type { EngineEvent } from "@pulumi/pulumi/automation";
import { beforeEach, expect, test } from "vitest";
import { progressText, RunRecord } from "../../../../cli/engine/run-record";
import { atRest, event, firstControlPlane, on } from "../preview/steps";

let record: RunRecord;
beforeEach(() => {
  record = new RunRecord();
});

const send = (told: object) => record.onEvent(told as EngineEvent);
const begin = (metadata: object) => send({ resourcePreEvent: { metadata } });
const end = (metadata: object) => (begin(metadata), send({ resOutputsEvent: { metadata } }));
const fail = (metadata: { urn: string }, message: string) => {
  begin(metadata);
  send({ diagnosticEvent: { urn: metadata.urn, severity: "error", message, color: "never" } });
  send({ resOpFailedEvent: { metadata } });
};
const told = (...configured: string[]) => progressText(record.progress(configured));

const host = (name: string, op = "create") => event(op, "host:Host", `${name}-host`, { wanted: on(name) });
const unit = (name: string) => event("create", "host:Unit", `${name}-kubelet`, { wanted: on(name) });
const node = (name: string, op = "create") =>
  event(op, "kube:Node", `${name}-node`, { found: { node: name }, wanted: { node: name } });

test("done, failed with cause and next action, waiting after what was done, not begun", () => {
  [...firstControlPlane, node("control-plane-1", "same")].forEach(begin);
  [host("worker-1"), host("worker-2"), node("worker-2"), host("worker-3"), unit("worker-3")].forEach(end);
  fail(
    unit("worker-1"),
    "1 error occurred:\n\t* creating urn:x: writing kubelet.service failed on worker-1 (10.0.0.9): no space; free some",
  );
  expect(told("control-plane-1", "worker-1", "worker-2", "worker-3", "worker-10")).toEqual([
    "control-plane-1   done",
    "worker-1          FAILED",
    "  ✗ Unit worker-1-kubelet: writing kubelet.service failed on worker-1 (10.0.0.9): no space; free some",
    "worker-2          done",
    "worker-3          waits       for worker-1, after Unit worker-3-kubelet",
    "worker-10         not begun   it waits for worker-1",
  ]);
});

test("stopped by the person: what was under way is said", () => {
  end(host("worker-1"));
  fail(unit("worker-1"), "cancelled");
  expect(told("worker-1", "worker-2")).toEqual([
    "worker-1   cut off     at Unit worker-1-kubelet",
    "worker-2   not begun",
  ]);
});

test("what belongs to no machine is of the cluster, and all wait for it", () => {
  fail(
    event("create", "local:Artifacts", "kubernetes-1.36.3-amd64", { wanted: {} }),
    "download failed: refused; is there a network?",
  );
  expect(told("worker-1")).toEqual([
    "worker-1   not begun   it waits for cluster",
    "cluster    FAILED",
    "  ✗ Artifacts kubernetes-1.36.3-amd64: download failed: refused; is there a network?",
  ]);
});

test("a node whose drain fails is told, though nothing else of its machine was come to", () => {
  fail(node("worker-2", "delete"), "drain failed on worker-2: a budget; scale up");
  expect(told("control-plane-1")).toEqual([
    "control-plane-1   not begun   it waits for worker-2",
    "worker-2          FAILED",
    "  ✗ Node worker-2-node: drain failed on worker-2: a budget; scale up",
  ]);
});

test("between the old machine and the new one it is neither done nor failed; a drain that fails before is", () => {
  [node("worker-1", "delete-replaced"), host("worker-1", "delete-replaced")].forEach(end);
  expect(told()).toEqual(["worker-1   waits   after Host worker-1-host"]);
  fail(node("worker-1", "delete-replaced"), "drain failed on worker-1: a budget; scale up");
  expect(told()).toEqual(["worker-1   FAILED", "  ✗ Node worker-1-node: drain failed on worker-1: a budget; scale up"]);
});

test("a node that leaves is done when its machine is ours no more", () => {
  const [, left, , gone] = atRest("delete");
  end(gone ?? {});
  expect(told()).toEqual(["worker-1   waits   after Node worker-1-node"]);
  begin(left ?? {});
  expect(told()).toEqual(["worker-1   cut off   at Host worker-1-host"]);
  end(left ?? {});
  expect(told()).toEqual(["worker-1   done"]);
});
