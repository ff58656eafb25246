import type { EngineEvent } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { showMachines, type LiveView } from "../../../../cli/engine/live-view";
import { openScreen, plainScreen, type Screen } from "../../../../cli/terminal/screen";
import { UpdateView } from "../../../../cli/terminal/update-view";
import { event, on } from "../preview/steps";
import { FakeTerminal } from "../terminal/fake-terminal";

let terminal: FakeTerminal;
let screen: Screen;
let live: LiveView;
let view: UpdateView;
beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("CI", "");
  terminal = new FakeTerminal(60, 8);
  screen = await openScreen(terminal.stream);
  live = showMachines(screen, async () => ({
    names: ["control-plane-1", "worker-1", "worker-2"],
    controlPlanes: ["control-plane-1"],
    hasNodes: true,
  }));
  view = new UpdateView(screen);
});
afterEach(() => {
  screen.close();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const send = (one: object) => [view, live].forEach((observer) => observer.onEvent(one as EngineEvent));
const init = event("create", "kubeadm:Init", "control-plane-1-init", { desired: on("control-plane-1") });
const images = event("create", "host:Images", "worker-1-images", { desired: on("worker-1") });
const start = (...all: object[]) => all.forEach((metadata) => send({ resourcePreEvent: { metadata } }));
const end = (metadata: object) => send({ resOutputsEvent: { metadata } });

test("a terminal shows each machine, and keeps what failed above them", async () => {
  start(init, images);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(terminal.lines).toEqual([
    "[  1.5 s] 0 of 3 machines done",
    "  control-plane-1    1.5 s  Init: creating",
    "  worker-1           1.5 s  Images: creating",
    "  worker-2           1.5 s  waits for control-plane-1",
  ]);
  send({ diagnosticEvent: { urn: init.urn, severity: "warning", message: "swap is on", color: "never" } });
  send({ resOpFailedEvent: { metadata: init } });
  end(images);
  await vi.advanceTimersByTimeAsync(500);
  expect(terminal.lines).toEqual([
    "[  1.5 s] Init control-plane-1-init: warning: swap is on",
    "[  1.5 s] Init control-plane-1-init: FAILED after 1.5 s",
    "[  2.0 s] 0 of 3 machines done",
    "  control-plane-1    0.5 s  FAILED: Init",
    "  worker-1           0.5 s  Images: created",
    "  worker-2           2.0 s  waits for control-plane-1",
  ]);
  live.close();
  expect(terminal.lines).toEqual([
    "[  1.5 s] Init control-plane-1-init: warning: swap is on",
    "[  1.5 s] Init control-plane-1-init: FAILED after 1.5 s",
  ]);
});

test("a low, narrow terminal shows the machines at work, cut to its width", async () => {
  terminal.resize(34, 4);
  start(images);
  await vi.advanceTimersByTimeAsync(100);
  expect(terminal.lines).toEqual([
    "[  0.1 s] 0 of 3 machines done",
    "  worker-1    0.1 s  Images: cre…",
    "  and 2 more",
  ]);
});

test("if the configuration cannot be read, the machines are those that the engine reports", async () => {
  live = showMachines(screen, () => Promise.reject(new Error("no such stack")));
  start(images);
  await vi.advanceTimersByTimeAsync(100);
  expect(terminal.lines).toEqual(["[  0.1 s] 0 of 1 machine done", "  worker-1    0.1 s  Images: creating"]);
});

test("without a terminal there are only plain lines, and the configuration is not read", () => {
  let written = "";
  const plain = plainScreen({ write: (text: string | Uint8Array) => ((written += String(text)), true) });
  const configured = vi.fn();
  live = showMachines(plain, configured);
  view = new UpdateView(plain);
  start(images);
  end(images);
  live.close();
  expect(written).toBe(
    "[  0.0 s] Images worker-1-images: creating\n[  0.0 s] Images worker-1-images: created in 0.0 s\n",
  );
  expect(configured).not.toHaveBeenCalled();
});
