import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { beforeEach, describe, expect, test } from "vitest";
import { MachineActivity } from "../../../../cli/engine/machine-activity";
import { event, on } from "../preview/steps";

let time: number;
let activity: MachineActivity;
beforeEach(() => {
  time = 1_000_000;
  activity = new MachineActivity(() => time);
  activity.configure({
    names: ["control-plane-1", "worker-1", "worker-2"],
    controlPlanes: ["control-plane-1"],
    hasNodes: true,
  });
});

const send = (kind: keyof EngineEvent, metadata: StepEventMetadata) =>
  activity.onEvent({ [kind]: { metadata } } as unknown as EngineEvent);
const start = (metadata: StepEventMetadata) => send("resourcePreEvent", metadata);
const status = ({ urn }: StepEventMetadata, message: string, severity = "info#err") =>
  activity.onEvent({
    diagnosticEvent: { urn, message, severity, ephemeral: true, color: "never" },
  } as unknown as EngineEvent);
const wait = (milliseconds: number) => (time += milliseconds);
const end = (metadata: StepEventMetadata) => send("resOutputsEvent", metadata);
const run = (metadata: StepEventMetadata, milliseconds = 100) => (start(metadata), wait(milliseconds), end(metadata));

const unit = (op: string, machine: string) =>
  event(op, "host:Unit", `${machine}-kubelet`, { current: on(machine), desired: on(machine) });
const host = (op: string, machine: string) =>
  event(op, "host:Host", `${machine}-host`, { current: on(machine), desired: on(machine) });
const node = (op: string, machine: string) =>
  event(op, "kube:Node", `${machine}-node`, { current: { node: machine }, desired: { node: machine } });
const manifests = event("create", "kube:Manifests", "flannel", { desired: {} });
const shown = () => activity.rows().map(({ machine, state, text, time: ms }) => `${machine} ${state} ${ms}: ${text}`);
const of = (machine: string) => shown().find((line) => line.startsWith(`${machine} `));

describe("a machine at work", () => {
  test("shows the kind of change, then what the provider reports, and for how long", () => {
    start(unit("create", "worker-1"));
    wait(200);
    expect(of("worker-1")).toBe("worker-1 busy 200: Unit kubelet: creating");
    status(unit("create", "worker-1"), "starting kubelet.service\nand more");
    wait(300);
    expect(of("worker-1")).toBe("worker-1 busy 500: Unit kubelet: starting kubelet.service");
  });

  test("shows the step that reported last, and counts the others", () => {
    start(unit("create", "worker-1"));
    wait(100);
    start(host("create", "worker-1"));
    wait(100);
    expect(of("worker-1")).toBe("worker-1 busy 100: Host: creating (and 1 more)");
    status(unit("create", "worker-1"), "starting");
    expect(of("worker-1")).toBe("worker-1 busy 200: Unit kubelet: starting (and 1 more)");
  });

  test("is known by its name before its connection is", () => {
    start(event("create", "docker:Machine", "worker-2", { desired: {} }));
    expect(of("worker-2")).toBe("worker-2 busy 0: Machine: creating");
  });

  test("shows no debug message, which may contain secrets", () => {
    start(unit("create", "worker-1"));
    status(unit("create", "worker-1"), "RPC with the private key", "debug");
    expect(of("worker-1")).toBe("worker-1 busy 0: Unit kubelet: creating");
  });

  test("cannot control the terminal with a status, and a late one changes nothing", () => {
    start(unit("create", "worker-1"));
    status(unit("create", "worker-1"), "\x1b[2J <{%reset%}>starting<{%reset%}>");
    expect(of("worker-1")).toContain("Unit kubelet: starting");
    end(unit("create", "worker-1"));
    status(unit("create", "worker-1"), "late");
    expect(of("worker-1")).toContain("Unit kubelet: created");
  });
});

describe("a machine without a step", () => {
  test("still shows the last one for a second, because the next one usually begins earlier", () => {
    run(unit("create", "worker-1"));
    start(unit("create", "control-plane-1"));
    wait(900);
    expect(of("worker-1")).toBe("worker-1 waiting 900: Unit kubelet: created");
    wait(100);
    expect(of("worker-1")).toBe("worker-1 waiting 1000: waits for control-plane-1");
  });

  test("waits for control planes, else for a step of the cluster, else for other machines", () => {
    run(unit("create", "worker-1"));
    const others = [unit("create", "worker-2"), manifests, unit("create", "control-plane-1")];
    const reasons = others.map((metadata) => (start(metadata), wait(1_000), of("worker-1")?.split(": ")[1]));
    expect(reasons).toEqual(["waits for worker-2", "waits for Manifests flannel", "waits for control-plane-1"]);
  });

  test("names two machines that it waits for, and counts the others", () => {
    run(unit("create", "control-plane-1"));
    for (const index of [1, 2, 3, 4]) start(unit("create", `worker-${index}`));
    wait(1_000);
    expect(of("control-plane-1")).toContain("waits for worker-1, worker-2 and 2 more");
  });

  test("waits for a machine that failed where nothing else runs", () => {
    run(unit("create", "worker-1"));
    start(unit("create", "control-plane-1"));
    send("resOpFailedEvent", unit("create", "control-plane-1"));
    wait(1_000);
    expect(of("worker-1")).toContain("waits for control-plane-1");
  });

  test("is shown before the run reaches it, once the run has begun to change another", () => {
    start(event("same", "host:Host", "control-plane-1-host", { desired: on("control-plane-1") }));
    expect(shown()).toEqual([]);
    wait(500);
    start(unit("create", "control-plane-1"));
    expect(of("worker-2")).toBe("worker-2 waiting 500: waits for control-plane-1");
  });

  test("waits for nothing on a rung of the ladder that has no nodes", () => {
    activity.configure({ names: ["worker-1"], controlPlanes: [], hasNodes: false });
    run(unit("create", "worker-1"));
    start(unit("create", "control-plane-1"));
    wait(5_000);
    expect(of("worker-1")).toBe("worker-1 waiting 5000: Unit kubelet: created");
  });
});

describe("the end of a machine", () => {
  test("it is ready with the time from its first step to its last one", () => {
    run(host("create", "worker-1"), 1_000);
    wait(500);
    run(node("create", "worker-1"), 2_000);
    wait(60_000);
    expect(of("worker-1")).toBe("worker-1 done 3500: ready");
  });

  test("a machine with a later step is at work again", () => {
    run(node("create", "control-plane-1"));
    start(event("create", "host:Binaries", "control-plane-1-kubectl", { desired: on("control-plane-1") }));
    expect(of("control-plane-1")).toBe("control-plane-1 busy 0: Binaries kubectl: creating");
  });

  test("a removed one is done when its Host is deleted", () => {
    run(node("delete", "worker-2"), 1_000);
    wait(2_000);
    expect(of("worker-2")).toBe("worker-2 waiting 2000: Node: deleted");
    run(host("delete", "worker-2"), 1_000);
    expect(of("worker-2")).toBe("worker-2 done 4000: removed");
  });

  test("a node that is deleted to be recreated is not done", () => {
    run(node("delete-replaced", "worker-1"));
    expect(of("worker-1")).toBe("worker-1 waiting 0: Node: old one deleted");
    start(node("replace", "worker-1"));
    end(node("replace", "worker-1"));
    expect(of("worker-1")).toBe("worker-1 waiting 0: Node: old one deleted");
    run(node("create-replacement", "worker-1"));
    expect(of("worker-1")).toBe("worker-1 done 200: ready");
  });

  test("a failed step is named while the others of the machine end", () => {
    start(unit("create", "worker-1"));
    start(host("create", "worker-1"));
    send("resOpFailedEvent", unit("create", "worker-1"));
    expect(of("worker-1")).toContain("busy 0: Host: creating");
    end(host("create", "worker-1"));
    wait(300);
    expect(of("worker-1")).toBe("worker-1 failed 300: FAILED: Unit kubelet");
  });
});

test("a machine that the run does not change is not shown", () => {
  start(node("same", "worker-1"));
  start(unit("update", "worker-2"));
  expect(of("worker-1")).toBeUndefined();
});

test("a resource that is only read is shown while that takes", () => {
  start(unit("refresh", "worker-1"));
  expect(of("worker-1")).toBe("worker-1 busy 0: Unit kubelet: reading");
  end(unit("refresh", "worker-1"));
  expect(shown()).toEqual([]);
});

test("a node that was only read is not done", () => {
  run(node("refresh", "worker-1"));
  run(unit("update", "worker-1"));
  expect(of("worker-1")).toBe("worker-1 waiting 0: Unit kubelet: updated");
});

test("the cluster is shown while one of its steps runs, or after one failed", () => {
  run(manifests);
  expect(of("cluster")).toBeUndefined();
  start(manifests);
  wait(100);
  expect(of("cluster")).toBe("cluster busy 100: Manifests flannel: creating");
  send("resOpFailedEvent", manifests);
  expect(of("cluster")).toBe("cluster failed 0: FAILED: Manifests flannel");
});

test("without a configuration, the machines are those that the engine reports", () => {
  activity = new MachineActivity(() => time);
  start(host("delete", "worker-9"));
  expect(shown()).toEqual(["worker-9 busy 0: Host: deleting"]);
});
