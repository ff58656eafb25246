import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lastRunFile, readLastRun, writeLastRun } from "../../../../cli/engine/last-run";
import { TimelineRecorder } from "../../../../cli/engine/run-timeline";
import { event, on } from "../preview/steps";

let time: number;
let recorder: TimelineRecorder;
let folder: string;
beforeEach(() => {
  time = Date.parse("2026-11-26T18:00:00.000Z");
  recorder = new TimelineRecorder(() => time);
  folder = mkdtempSync(join(tmpdir(), "kubewright-timeline-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const send = (after: number, kind: keyof EngineEvent, metadata: StepEventMetadata) => {
  time += after;
  recorder.onEvent({ [kind]: { metadata } } as unknown as EngineEvent);
};
const host = (op: string) => event(op, "host:Host", "worker-1-host", { desired: on("worker-1") });
const unit = (op: string) => event(op, "host:Unit", "worker-1-kubelet", { current: {}, desired: on("worker-1") });
const node = (from: string, to: string) =>
  event("update", "kube:Node", "worker-1-node", {
    current: { node: "worker-1", version: from },
    desired: { node: "worker-1", version: to },
    paths: ["version"],
  });

test("records when the work on each resource began and ended, and on which machine", () => {
  send(100, "resourcePreEvent", host("create"));
  send(200, "resOutputsEvent", host("create"));
  send(50, "resourcePreEvent", unit("create"));
  send(1_000, "resOutputsEvent", unit("create"));
  time += 150;
  const { start, duration, kind, outcome, spans } = recorder.finish("succeeded", []);
  expect({ start, duration, kind, outcome }).toEqual({
    start: "2026-11-26T18:00:00.000Z",
    duration: 1_500,
    kind: "creation",
    outcome: "succeeded",
  });
  expect(spans).toMatchObject([
    { label: "Host worker-1-host", machine: "worker-1", op: "create", start: 100, end: 300, state: "done" },
    { label: "Unit worker-1-kubelet", machine: "worker-1", op: "create", start: 350, end: 1_350, state: "done" },
  ]);
});

test("a replacement is a deletion and a creation", () => {
  for (const op of ["delete-replaced", "create-replacement"]) {
    send(100, "resourcePreEvent", unit(op));
    send(100, "resOutputsEvent", unit(op));
  }
  expect(recorder.finish("succeeded", []).spans).toMatchObject([
    { op: "delete", start: 100, end: 200, state: "done" },
    { op: "create", start: 300, end: 400, state: "done" },
  ]);
});

test("failed steps end when they fail, and interrupted ones with the run", () => {
  send(0, "resourcePreEvent", unit("update"));
  send(10, "resourcePreEvent", host("update"));
  send(10, "resOpFailedEvent", unit("update"));
  time += 500;
  const { failures, spans } = recorder.finish("failed", ["Unit worker-1-kubelet: no space"]);
  expect(failures).toEqual(["Unit worker-1-kubelet: no space"]);
  expect(spans).toMatchObject([
    { label: "Unit worker-1-kubelet", end: 20, state: "failed" },
    { label: "Host worker-1-host", end: 520, state: "interrupted" },
  ]);
});

test("a run that changes nothing has no work", () => {
  send(0, "resourcePreEvent", host("same"));
  send(0, "resOutputsEvent", host("same"));
  expect(recorder.hasWork).toBe(false);
});

test("another version of a kubelet is an upgrade; anything else on an existing machine is an update", () => {
  send(0, "resourcePreEvent", host("same"));
  send(0, "resourcePreEvent", unit("create"));
  expect(recorder.finish("succeeded", []).kind).toBe("update");
  send(0, "resourcePreEvent", node("1.35.4", "1.36.3"));
  expect(recorder.finish("succeeded", [])).toMatchObject({ kind: "upgrade", from: "1.35.4", to: "1.36.3" });
});

test("keeps the last run in a file that only the user can read", () => {
  expect(readLastRun("dev")).toBeUndefined();
  send(0, "resourcePreEvent", unit("create"));
  const timeline = recorder.finish("interrupted", []);
  writeLastRun("dev", timeline);
  expect(readLastRun("dev")).toEqual(timeline);
  expect(statSync(lastRunFile("dev")).mode & 0o777).toBe(0o600);
});

test("ignores a file of another format", () => {
  writeLastRun("dev", recorder.finish("succeeded", []));
  writeFileSync(lastRunFile("dev"), readFileSync(lastRunFile("dev"), "utf8").replace("spans", "steps"));
  expect(readLastRun("dev")).toBeUndefined();
});
