import "reflect-metadata";
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { unitResource } from "../../../../provider/resources/unit";
import { connectionTo } from "../../../support/connection";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const CONFIG = "/etc/demo/demo.conf";
const GOOD = { [CONFIG]: { content: "policy: none\nport: 1\n", mode: "0644" } };
const BAD = { [CONFIG]: { content: "policy: static\nport: 1\n", mode: "0644" } };

/** A service that crash-loops with a static policy, and runs with any other. */
class DemoMachine extends MemoryMachine {
  active = false;
  starts = 0;
  crashing = false;

  constructor() {
    super();
    this.on(/systemctl restart/, () => {
      this.starts++;
      this.active = true;
      this.crashing = this.files.get(CONFIG)?.content.includes("static") ?? false;
      return "";
    });
    this.on(/systemctl show -p ActiveState/, () => {
      const [active, sub] = !this.active
        ? ["inactive", "dead"]
        : this.crashing
          ? ["activating", "auto-restart"]
          : ["active", "running"];
      const rest = `UnitFileState=enabled\nLoadState=loaded\nInvocationID=i${this.starts}\n`;
      return `ActiveState=${active}\nSubState=${sub}\n${rest}`;
    });
    this.on(/journalctl _SYSTEMD_UNIT/, () => "demo: the static policy needs reserved CPUs\n");
  }
}

let machine: DemoMachine;
let begun: string[];
beforeEach(() => {
  machine = new DemoMachine();
  begun = [];
});
const inputs = (files: typeof GOOD) => ({
  ...machine.target,
  unit: "demo.service",
  files,
  enabled: true,
  running: true,
});
const context = () =>
  machine.context({ begin: (id = "by name") => void (begun = [id]), undo: () => void (begun = []) });
const create = (files: typeof GOOD) => settle(unitResource.create(context(), inputs(files)));
const update = (before: typeof GOOD, after: typeof GOOD) =>
  settle(unitResource.update!(context(), "id", inputs(after), { inputs: inputs(before), outputs: {} }));

test("a unit is written, started and proved stable", async () => {
  expect(await create(GOOD)).toEqual({ id: "a1/demo.service", outputs: {} });
  expect(machine.files.get(CONFIG)).toEqual(GOOD[CONFIG]);
  expect(machine.starts).toBe(1);
});

test("a new unit that crash-loops fails with its journal, and is recorded", async () => {
  await expect(create(BAD)).rejects.toThrow(
    /starting demo.service failed on worker-1.*: the unit is crash-looping:\ndemo: the static policy needs reserved/,
  );
  expect(begun).toEqual(["a1/demo.service"]);
});

test("a change that makes a running unit crash-loop is reverted, and the error quotes the journal", async () => {
  await create(GOOD);
  const failure = await update(GOOD, BAD).catch((error: Error) => error.message);
  expect(failure).toContain("the unit is crash-looping:\ndemo: the static policy needs reserved CPUs");
  expect(failure).toContain(`${CONFIG}\n- policy: none\n+ policy: static`);
  expect(failure).toContain("The previous files were restored, and demo.service is healthy again");
  expect(machine.files.get(CONFIG)).toEqual(GOOD[CONFIG]);
  expect(machine.starts).toBe(3);
  // The recorded state stays that of before, so the next preview shows the change again.
  expect(begun).toEqual([]);
});

test("a file that the bad change added is removed again", async () => {
  await create(GOOD);
  const added = { ...BAD, "/etc/demo/extra.conf": { content: "x", mode: "0644" } };
  await expect(update(GOOD, added)).rejects.toThrow("/etc/demo/extra.conf\n+ x");
  expect([...machine.files.keys()]).toEqual([CONFIG]);
});

test("a file that the bad change removed is restored", async () => {
  const both = { ...GOOD, "/etc/demo/extra.conf": { content: "x\n", mode: "0600" } };
  await create(both);
  await expect(update(both, BAD)).rejects.toThrow("demo.service is healthy again");
  expect(machine.files.get("/etc/demo/extra.conf")).toEqual({ content: "x\n", mode: "0600" });
});

test("the content of a file that only root may read is not quoted", async () => {
  const secret = (content: string) => ({ [CONFIG]: { content, mode: "0600" } });
  await create(secret("token: 1\n"));
  const failure = await update(secret("token: 1\n"), secret("token: static\n")).catch((error: Error) => error.message);
  expect(failure).toContain(CONFIG);
  expect(failure).not.toContain("token");
});

test("a refresh reports a crash-looping unit, and the next update restarts it", async () => {
  await create(GOOD);
  machine.on(
    /systemctl show -p ActiveState/,
    () => "ActiveState=activating\nSubState=auto-restart\nLoadState=loaded\n",
  );
  const read = await unitResource.read!(context(), "id", { inputs: inputs(GOOD), outputs: {} });
  expect(read?.inputs).toMatchObject({ problem: "crash-looping", running: false });
  machine.answers.shift();
  const recorded = { ...inputs(GOOD), problem: "crash-looping" };
  await settle(unitResource.update!(context(), "id", inputs(GOOD), { inputs: recorded, outputs: {} }));
  expect(machine.starts).toBe(2);
});

describe("a unit without a process, with a probe", () => {
  const probed = () => ({ ...inputs(GOOD), probe: "ip route show | grep -q unreachable" });
  const read = () => unitResource.read!(context(), "id", { inputs: probed(), outputs: {} });
  let hasRoute: boolean;
  beforeEach(async () => {
    machine.on(/^timeout \d+ sh -c 'ip route show \| grep -q unreachable'/, () => (hasRoute ? "" : { code: 1 }));
    machine.on(/systemctl restart/, () => {
      hasRoute = true;
      return "";
    });
    machine.on(/systemctl show -p ActiveState/, () => "ActiveState=active\nSubState=exited\nUnitFileState=enabled\n");
    await settle(unitResource.create(context(), probed()));
  });

  test("is healthy while the probe succeeds", async () => {
    expect((await read())?.inputs).toEqual(probed());
  });

  test("a refresh reports that what it set up is missing, and the next update sets it up again", async () => {
    hasRoute = false;
    const recorded = (await read())?.inputs;
    expect(recorded?.problem).toBe("active, but what it set up is missing");
    await settle(unitResource.update!(context(), "id", probed(), { inputs: recorded!, outputs: {} }));
    expect(hasRoute).toBe(true);
  });

  test("a start after which the probe fails is an error", async () => {
    hasRoute = false;
    machine.on(/systemctl restart/, () => "");
    await expect(settle(unitResource.create(context(), probed()))).rejects.toThrow(
      /starting demo.service failed on worker-1.*active, but what it set up is missing/,
    );
  });
});

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

  test("that does not start is put back, and the unit runs the previous one", async () => {
    install("bad");
    expect(await replace("good", "bad")).toContain(
      `${PROGRAM} (the program)\nThe previous files were restored, and demo.service is healthy again`,
    );
    expect(installed()).toBe("good");
    expect(begun).toEqual([]);
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
