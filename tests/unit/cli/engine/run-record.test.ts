import type { EngineEvent } from "@pulumi/pulumi/automation";
import { beforeEach, expect, test } from "vitest";
import { progressText, RunRecord } from "../../../../cli/engine/run-record";
import { atRest, event, firstControlPlane, on } from "../preview/steps";

let record: RunRecord;
beforeEach(() => {
  record = new RunRecord();
});

const send = (engineEvent: object) => record.onEvent(engineEvent as EngineEvent);
const begin = (metadata: object) => send({ resourcePreEvent: { metadata } });
const end = (metadata: object) => (begin(metadata), send({ resOutputsEvent: { metadata } }));
const fail = (metadata: { urn: string }, message: string) => {
  begin(metadata);
  send({ diagnosticEvent: { urn: metadata.urn, severity: "error", message, color: "never" } });
  send({ resOpFailedEvent: { metadata } });
};
const report = (...configured: string[]) => progressText(record.progress(configured));

const host = (name: string, op = "create") => event(op, "host:Host", `${name}-host`, { desired: on(name) });
const unit = (name: string) => event("create", "host:Unit", `${name}-kubelet`, { desired: on(name) });
const node = (name: string, op = "create") =>
  event(op, "kube:Node", `${name}-node`, { current: { node: name }, desired: { node: name } });

test("lists machines that are done, failed with cause and next action, waiting, and not started", () => {
  [...firstControlPlane, node("control-plane-1", "same")].forEach(begin);
  [host("worker-1"), host("worker-2"), node("worker-2"), host("worker-3"), unit("worker-3")].forEach(end);
  fail(
    unit("worker-1"),
    "1 error occurred:\n\t* creating urn:x: writing kubelet.service failed on worker-1 (10.0.0.9): no space; free some",
  );
  expect(report("control-plane-1", "worker-1", "worker-2", "worker-3", "worker-10")).toEqual([
    "control-plane-1   done",
    "worker-1          FAILED",
    "  ✗ Unit worker-1-kubelet: writing kubelet.service failed on worker-1 (10.0.0.9): no space; free some",
    "worker-2          done",
    "worker-3          waiting       for worker-1, after Unit worker-3-kubelet",
    "worker-10         not started   waits for worker-1",
  ]);
});

test("names the steps that were in progress when the user stopped the run", () => {
  end(host("worker-1"));
  fail(unit("worker-1"), "cancelled");
  expect(report("worker-1", "worker-2")).toEqual([
    "worker-1   interrupted   in Unit worker-1-kubelet",
    "worker-2   not started",
  ]);
});

test("lists a failed resource that belongs to no machine as the cluster's, for which all machines wait", () => {
  fail(
    event("create", "local:Artifacts", "kubernetes-1.36.3-amd64", { desired: {} }),
    "download failed: refused; is there a network?",
  );
  expect(report("worker-1")).toEqual([
    "worker-1   not started   waits for cluster",
    "cluster    FAILED",
    "  ✗ Artifacts kubernetes-1.36.3-amd64: download failed: refused; is there a network?",
  ]);
});

test("lists a removed node whose drain fails, although the run reached nothing else on its machine", () => {
  fail(node("worker-2", "delete"), "drain failed on worker-2: a budget; scale up");
  expect(report("control-plane-1")).toEqual([
    "control-plane-1   not started   waits for worker-2",
    "worker-2          FAILED",
    "  ✗ Node worker-2-node: drain failed on worker-2: a budget; scale up",
  ]);
});

test("a machine that is deleted but not recreated is waiting; one whose drain fails is failed", () => {
  [node("worker-1", "delete-replaced"), host("worker-1", "delete-replaced")].forEach(end);
  expect(report()).toEqual(["worker-1   waiting   after Host worker-1-host"]);
  fail(node("worker-1", "delete-replaced"), "drain failed on worker-1: a budget; scale up");
  expect(report()).toEqual([
    "worker-1   FAILED",
    "  ✗ Node worker-1-node: drain failed on worker-1: a budget; scale up",
  ]);
});

test("a removed node is done when its Host is deleted", () => {
  const [, left, , gone] = atRest("delete");
  end(gone ?? {});
  expect(report()).toEqual(["worker-1   waiting   after Node worker-1-node"]);
  begin(left ?? {});
  expect(report()).toEqual(["worker-1   interrupted   in Host worker-1-host"]);
  end(left ?? {});
  expect(report()).toEqual(["worker-1   done"]);
});
