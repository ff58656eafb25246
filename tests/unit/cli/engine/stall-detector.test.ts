import type { EngineEvent } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StallDetector } from "../../../../cli/engine/stall-detector";
import { event, on } from "../preview/steps";

let hasEnded: boolean;
let detector: StallDetector;
beforeEach(() => {
  vi.useFakeTimers();
  hasEnded = false;
  detector = new StallDetector(() => (hasEnded = true), 1_000);
});
afterEach(() => {
  detector.close();
  vi.useRealTimers();
});

const send = (engineEvent: object) => detector.onEvent(engineEvent as EngineEvent);
const unit = event("update", "host:Unit", "worker-2-kubelet", { desired: on("worker-2") });
const failDrain = () => {
  const metadata = event("delete-replaced", "kube:Node", "worker-1-node", { current: { node: "worker-1" } });
  send({ resourcePreEvent: { metadata } });
  send({ resOpFailedEvent: { metadata } });
};

test("ends a run in which nothing runs after the delete of a replaced resource failed", () => {
  failDrain();
  vi.advanceTimersByTime(999);
  expect(hasEnded).toBe(false);
  vi.advanceTimersByTime(1);
  expect(hasEnded).toBe(true);
});

test("lets the other steps finish first", () => {
  send({ resourcePreEvent: { metadata: unit } });
  failDrain();
  vi.advanceTimersByTime(60_000);
  expect(hasEnded).toBe(false);
  send({ resOutputsEvent: { metadata: unit } });
  vi.advanceTimersByTime(1_000);
  expect(hasEnded).toBe(true);
});

test("does not end a run after any other failure, after which the engine ends by itself", () => {
  send({ resourcePreEvent: { metadata: unit } });
  send({ resOpFailedEvent: { metadata: unit } });
  vi.advanceTimersByTime(60_000);
  expect(hasEnded).toBe(false);
});
