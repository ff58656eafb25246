import "reflect-metadata";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { unitResource } from "../../../../provider/resources/unit";
import { BAD, CONFIG, DemoMachine, GOOD, demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

let machine: DemoMachine;
beforeEach(() => {
  machine = new DemoMachine();
});
const inputs = (files: typeof GOOD) => demoUnit(machine, files);
const context = () => machine.recording();
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
  expect(machine.begun).toEqual(["a1/demo.service"]);
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
  expect(machine.begun).toEqual([]);
});

test("a change with which systemd does not start the unit is reverted, and the error quotes the journal", async () => {
  await create(GOOD);
  const restart = machine.answers.find(([pattern]) => pattern.test("systemctl restart"))![1];
  machine.on(/systemctl restart/, (script) => {
    restart(script);
    const stderr = "Job for demo.service failed because the control process exited with error code.";
    return machine.crashing ? { code: 1, stderr } : "";
  });
  const failure = await update(GOOD, BAD).catch((error: Error) => error.message);
  expect(failure).toMatch(/starting demo.service failed.*exited with error code.:\ndemo: the static policy needs/);
  expect(failure).toContain("The previous files were restored, and demo.service is healthy again");
  expect(machine.files.get(CONFIG)).toEqual(GOOD[CONFIG]);
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

test("an update after one that failed before the restart starts the unit with the files that are there", async () => {
  await create(GOOD);
  const old = { inputs: inputs(GOOD), outputs: {}, unfinished: true };
  await settle(unitResource.update!(context(), "id", inputs(GOOD), old));
  expect(machine.starts).toBe(2);
});

describe("a file that the unit reads again when it is reloaded", () => {
  const reloadable = (files: typeof GOOD) => ({ ...inputs(files), reloadable: [CONFIG] });
  const OTHER = { [CONFIG]: { content: "policy: none\nport: 2\n", mode: "0644" } };
  const change = (old: object = {}) =>
    settle(
      unitResource.update!(context(), "id", reloadable(OTHER), {
        inputs: { ...reloadable(GOOD), ...old },
        outputs: {},
      }),
    );
  const reloads = () => machine.scripts.filter((script) => script.includes("systemctl reload"));

  test("reloads the unit when it changes", async () => {
    await create(GOOD);
    await change();
    expect(machine.starts).toBe(1);
    expect(reloads()).toHaveLength(1);
    expect(machine.files.get(CONFIG)).toEqual(OTHER[CONFIG]);
  });

  test("restarts the unit when another file changes too, or when its program changed", async () => {
    await create(GOOD);
    await change({ restartOn: { program: "old" } });
    await settle(
      unitResource.update!(
        context(),
        "id",
        { ...reloadable(GOOD), files: { ...GOOD, "/etc/demo/extra.conf": { content: "x\n", mode: "0644" } } },
        { inputs: reloadable(OTHER), outputs: {} },
      ),
    );
    expect(machine.starts).toBe(3);
    expect(reloads()).toEqual([]);
  });

  test("restarts a unit that does not run", async () => {
    await create(GOOD);
    machine.active = false;
    await change();
    expect(machine.starts).toBe(2);
  });
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
