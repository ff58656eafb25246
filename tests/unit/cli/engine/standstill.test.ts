import type { EngineEvent } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Standstill } from "../../../../cli/engine/standstill";
import { event, on } from "../preview/steps";

let ended: boolean;
let watch: Standstill;
beforeEach(() => {
  vi.useFakeTimers();
  ended = false;
  watch = new Standstill(() => (ended = true), 1_000);
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

const send = (told: object) => watch.onEvent(told as EngineEvent);
const unit = event("update", "host:Unit", "worker-2-kubelet", { wanted: on("worker-2") });
const failDrain = () => {
  const metadata = event("delete-replaced", "kube:Node", "worker-1-node", { found: { node: "worker-1" } });
  send({ resourcePreEvent: { metadata } });
  send({ resOpFailedEvent: { metadata } });
};

test("a run is ended when nothing is under way after a failed delete before a replacement", () => {
  failDrain();
  vi.advanceTimersByTime(999);
  expect(ended).toBe(false);
  vi.advanceTimersByTime(1);
  expect(ended).toBe(true);
});

test("what else is under way comes to its end first", () => {
  send({ resourcePreEvent: { metadata: unit } });
  failDrain();
  vi.advanceTimersByTime(60_000);
  expect(ended).toBe(false);
  send({ resOutputsEvent: { metadata: unit } });
  vi.advanceTimersByTime(1_000);
  expect(ended).toBe(true);
});

test("any other failure ends nothing: the engine comes to an end by itself", () => {
  send({ resourcePreEvent: { metadata: unit } });
  send({ resOpFailedEvent: { metadata: unit } });
  vi.advanceTimersByTime(60_000);
  expect(ended).toBe(false);
});
