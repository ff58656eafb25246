import "reflect-metadata";
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { unitResource } from "../../../../provider/resources/unit";
import { connectionTo } from "../../../support/connection";
import { CONFIG, DemoMachine, GOOD, demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

let machine: DemoMachine;
beforeEach(() => {
  machine = new DemoMachine();
});
const inputs = (files: typeof GOOD) => demoUnit(machine, files);
const context = () => machine.recording();
const create = (files: typeof GOOD) => settle(unitResource.create(context(), inputs(files)));
describe("a replaced program", () => {
  const PROGRAM = "/usr/local/bin/demo";
  const KEPT = "/var/lib/kubewright/programs/demo.service";
  const hashOf = (program: string) => createHash("sha256").update(program).digest("hex");
  const withProgram = (program: string) => ({ ...inputs(GOOD), restartOn: { demo: hashOf(program) } });
  const install = (program: string) => void machine.files.set(PROGRAM, { content: program, mode: "0755" });
  const installed = () => machine.files.get(PROGRAM)?.content;
  const replace = (before: string, after: string) =>
    settle(
      unitResource.update!(context(), "id", withProgram(after), { inputs: withProgram(before), outputs: {} }),
    ).catch((error: Error) => error.message);

  beforeEach(async () => {
    let running = "good";
    const move = (from: string, to: string) => {
      const file = machine.files.get(from);
      if (file) machine.files.set(to, file);
      machine.files.delete(from);
    };
    machine.on(/systemctl restart/, () => {
      machine.starts++;
      machine.active = true;
      running = installed()!;
      machine.crashing = running.startsWith("bad");
      return "";
    });
    machine.on(/program\.arriving/, (script) => {
      const refused = machine.files.get(`${KEPT}/refused`);
      if (refused && script.includes(hashOf(refused.content))) move(`${KEPT}/refused`, PROGRAM);
      if (installed() !== running) machine.files.set(`${KEPT}/program`, { content: running, mode: "0755" });
      return "";
    });
    machine.on(/cat "\$kept\/path"$/, () => (machine.files.has(`${KEPT}/program`) ? PROGRAM : ""));
    machine.on(/path\.arriving/, () => {
      move(PROGRAM, `${KEPT}/refused`);
      move(`${KEPT}/program`, PROGRAM);
      return "";
    });
    machine.on(/^rm -rf .*programs\/demo.service\n/, () => {
      for (const path of [...machine.files.keys()]) if (path.startsWith(KEPT)) machine.files.delete(path);
      return "";
    });
    install("good");
    await create(GOOD);
  });

  test("does not restart a unit whose program another resource replaces", async () => {
    install("other");
    const starts = machine.starts;
    const now = { ...withProgram("other"), keepsProgram: true };
    await settle(unitResource.update!(context(), "id", now, { inputs: withProgram("good"), outputs: {} }));
    expect(machine.starts).toBe(starts);
  });

  test("that does not start is put back, and the unit runs the previous one", async () => {
    install("bad");
    expect(await replace("good", "bad")).toContain(
      `${PROGRAM} (the program)\nThe previous files were restored, and demo.service is healthy again`,
    );
    expect(installed()).toBe("good");
    expect(machine.begun).toEqual([]);
  });

  test("is tried again by the next run, although the resource that wrote it has nothing to do", async () => {
    install("bad");
    await replace("good", "bad");
    expect(await replace("good", "bad")).toContain("demo.service is healthy again");
    machine.files.set(`${KEPT}/refused`, { content: "better", mode: "0755" });
    expect(await replace("good", "better")).toEqual({});
    expect(installed()).toBe("better");
    expect([...machine.files.keys()].filter((path) => path.startsWith(KEPT))).toEqual([]);
  });

  test("that starts leaves no copy", async () => {
    install("better");
    expect(await replace("good", "better")).toEqual({});
    expect([...machine.files.keys()].sort()).toEqual([CONFIG, PROGRAM].sort());
  });
});

describe("the unit of a kubelet", () => {
  const node = { name: "worker-1", controlPlanes: [connectionTo({ host: "10.0.0.9" })], version: "1.36.3" };
  const kubelet = (files: typeof GOOD) => ({ ...inputs(files), node });
  let memory: MemoryApi;
  const report = (status: string, at = 0) => {
    const conditions = [{ type: "Ready", status, message: "no pod network", lastHeartbeatTime: new Date(at) }];
    const nodeInfo = { kubeletVersion: "v1.36.3" };
    memory.nodes.set("worker-1", { metadata: { name: "worker-1" }, status: { conditions, nodeInfo } as never });
  };
  const change = () => {
    const ofApi = context();
    ofApi.kube.api = async () => memory.api;
    const recorded = { inputs: kubelet(GOOD), outputs: {} };
    return settle(unitResource.update!(ofApi, "id", kubelet(OTHER), recorded)).catch((error: Error) => error.message);
  };
  const OTHER = { [CONFIG]: { content: "policy: none\nport: 2\n", mode: "0644" } };

  beforeEach(async () => {
    memory = new MemoryApi();
    await create(GOOD);
    // Seconds of the start: each start is a minute after the one before.
    machine.on(/ActiveEnterTimestampMonotonic --value/, () => `${machine.starts * 60}\n`);
  });

  test("is healthy once its node has reported Ready", async () => {
    report("True", 60_000);
    setTimeout(() => report("True", 121_000), 20_000);
    expect(await change()).toEqual({});
  });

  test("is put back when its node does not become Ready", async () => {
    report("True", 60_000);
    setTimeout(() => report("False", 121_000), 10_000);
    setTimeout(() => report("True", 181_000), 140_000);
    expect(await change()).toMatch(/its node is not Ready: no pod network.*- port: 1\n\+ port: 2.*is healthy again/s);
    expect(machine.files.get(CONFIG)).toEqual(GOOD[CONFIG]);
  });
});
