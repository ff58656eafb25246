import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run as upgrade } from "../../../../cli/commands/upgrade";
import type { Options } from "../../../../cli/terminal/options";
import type * as Fake from "./fake-upgrade";
import { changes, configure, fake, removed, resetCluster, run, upgradeOptions } from "./fake-upgrade";

const mocks = vi.hoisted(() => async () => await vi.importActual<typeof Fake>("./fake-upgrade"));

vi.mock("../../../../cli/commands/up", async () => ({ run: (await mocks()).fake.up }));
vi.mock("../../../../cli/commands/check", async () => ({ run: (await mocks()).fake.check }));
vi.mock("../../../../cli/terminal/prompt", async () => (await mocks()).fake);
vi.mock("../../../../cli/engine/session", async (original) => ({
  ...(await original<object>()),
  ...(await mocks()).session,
}));
vi.mock("../../../../cli/engine/workspace", async () => (await mocks()).workspace);
vi.mock("../../../../cli/engine/cluster-api", async () => (await mocks()).clusterApi);
vi.mock("../../../../cli/engine/stack-config", async () => (await mocks()).stackConfig);
vi.mock("../../../../cli/nodes/upgrade-facts", async () => (await mocks()).facts);
vi.mock("../../../../cli/nodes/upgrade-target", async (original) => ({
  ...(await original<object>()),
  ...(await mocks()).target,
}));
vi.mock("../../../../cli/nodes/upgrade-plan", async (original) => ({
  ...(await original<object>()),
  ...(await mocks()).plan,
}));

async function upgradeWith(values: Options["values"] = {}, ...flags: string[]): Promise<number> {
  return await upgrade(upgradeOptions(values, flags));
}

const isTTY = process.stdin.isTTY;
beforeEach(resetCluster);
afterEach(() => {
  process.stdin.isTTY = isTTY;
  vi.restoreAllMocks();
});

test("an upgrade prints its plan, and runs up with the version, without a second question", async () => {
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  expect(fake.output).toContain("Upgrade: 1.35.4 -> 1.36.3\n");
  expect(changes()).toEqual([{ removed: [], set: { "kubernetes.version": "1.36.3" } }]);
  expect(fake.up.mock.calls[0]?.[0].flags).toEqual(new Set(["yes"]));
});

test("--plan prints the plan, and changes nothing", async () => {
  process.stdin.isTTY = true;
  expect(await upgradeWith({ to: "1.36.3" }, "plan")).toBe(0);
  expect(fake.output).toContain("Upgrade: 1.35.4 -> 1.36.3\n");
  expect(fake.confirm).not.toHaveBeenCalled();
  expect(fake.up).not.toHaveBeenCalled();
});

test("the plan names machines that have little room for another version, which stop nothing", async () => {
  fake.disks = ["worker-1 (10.0.0.11): only 900 MiB are free in /var/lib"];
  expect(await upgradeWith({ to: "1.36.3" }, "plan")).toBe(0);
  expect(fake.output).toContain("To look at:\n  worker-1 (10.0.0.11): only 900 MiB are free in /var/lib\n");
});

test("an upgrade that the user declines changes nothing", async () => {
  process.stdin.isTTY = true;
  fake.confirm.mockResolvedValue(false);
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  expect(fake.up).not.toHaveBeenCalled();
});

test("an upgrade with something to solve first ends with 1, and changes nothing", async () => {
  fake.problems = ["etcd: member control-plane-1 is unhealthy"];
  expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
  expect(fake.output).toContain("This must be solved first:\n  etcd: member control-plane-1 is unhealthy\n");
  expect(fake.up).not.toHaveBeenCalled();
});

test.each<[string, Options["values"], string[], RegExp]>([
  [
    "a version that is not supported",
    { to: "1.38.0" },
    [],
    /planning the upgrade failed: no release of Kubernetes 1\.37/,
  ],
  ["an older version", { to: "1.34.4" }, [], /Kubernetes cannot be downgraded from 1\.35\.4 to 1\.34\.4/],
  ["a stage that does not exist", { "pause-after": "gpu" }, [], /no stage named gpu; use control-planes or workers/],
  ["a canary that does not exist", { canary: "worker-9" }, [], /no worker named worker-9; use worker-1/],
  ["a soak that is no duration", { soak: "soon" }, [], /"soon" is not a duration; write for example --soak 90s/],
  ["an undo without an upgrade", {}, ["undo"], /undoing the upgrade failed: every control plane and worker has 1\.35/],
])("%s is refused before anything changes", async (_, values, flags, problem) => {
  await expect(upgradeWith({ to: flags.length > 0 ? undefined : "1.36.3", ...values }, ...flags)).rejects.toThrow(
    problem,
  );
  expect(fake.up).not.toHaveBeenCalled();
});

describe("--resume", () => {
  test("without a paused upgrade reports that there is nothing to upgrade", async () => {
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(fake.output).toContain("Nothing to upgrade: every control plane runs 1.35.4");
    expect(fake.up).not.toHaveBeenCalled();
  });

  test("ends the pause, and returns the user's canaries", async () => {
    const hold = { workers: "1.35.4" };
    configure({ kubernetes: { version: "1.36.3", hold, canary: [], canaryAfter: ["worker-1"] } });
    run("1.36.3", "1.35.4");
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(fake.output).toContain("  2. pool workers: worker-1 (1.35.4), drained, then the kubelet\n");
    expect(fake.output).not.toContain("control-plane-1");
    expect(changes()).toEqual([
      {
        removed: ["kubernetes.hold", "kubernetes.canary", "kubernetes.canaryAfter", "controlPlane.emulate"],
        set: { "kubernetes.version": "1.36.3", "kubernetes.canary[0]": "worker-1" },
      },
    ]);
  });
});

test("--resume ends the emulation of the control planes, and the plan names them", async () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" } };
  configure({ kubernetes, controlPlane: { emulate: "previous" } });
  run("1.36.3", "1.35.4");
  expect(await upgradeWith({}, "resume")).toBe(0);
  expect(fake.output).toContain(
    "  2. control-plane-1: the static pods restart without the emulation of 1.35, one after the other\n" +
      "  3. pool workers",
  );
});

test("--resume also ends a pause after which every node has the version", async () => {
  const hold = { workers: "1.35.4" };
  configure({ kubernetes: { version: "1.36.3", hold, canary: ["worker-1"] } });
  run("1.36.3", "1.36.3");
  expect(await upgradeWith({}, "resume")).toBe(0);
  expect(fake.output).toContain("Every node has 1.36.3: the pause ends, and no node changes.\n");
  expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3" } }]);
  expect(removed()).toContain("kubernetes.hold");
});

const RECORD = { "kubernetes.upgrading.before": "1.35.4", "kubernetes.upgrading.to": "1.36.3" };

describe("a pause", () => {
  test("is recorded with the version of the workers, and the command that continues is printed", async () => {
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" })).toBe(0);
    expect(changes()).toEqual([
      {
        removed: ["kubernetes.hold", "kubernetes.canary"],
        set: { "kubernetes.version": "1.36.3", "kubernetes.hold.workers": "1.35.4", ...RECORD },
      },
    ]);
    expect(fake.output).toContain("Paused. Run `npm run check`, then `npm run upgrade -- --resume`.");
    expect(fake.check).not.toHaveBeenCalled();
  });

  test("is in the plan: the nodes before it, and those that keep their version", async () => {
    configure({ kubernetes: { version: "1.35.4" }, workers: { count: 2 } });
    fake.nodes.push({ name: "worker-2", pool: "workers", version: "1.35.3", roles: [] } as never);
    const end = "Then the upgrade pauses. `npm run upgrade -- --resume` upgrades the nodes that keep their version.\n";
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" }, "plan")).toBe(0);
    expect(fake.output).not.toContain("pool workers");
    expect(fake.output).toContain("These keep their version: worker-1 (1.35.4), worker-2 (1.35.3)\n");
    expect(fake.output).toContain(end);
    fake.output = "";
    expect(await upgradeWith({ to: "1.36.3", canary: "worker-1" }, "plan")).toBe(0);
    expect(fake.output).toContain("  3. pool workers: worker-1 (1.35.4), drained, then the kubelet\n");
    expect(fake.output).toContain("These keep their version: worker-2 (1.35.3)\n");
    expect(fake.output).toContain(end);
  });

  test("replaces an earlier one, also in the plan", async () => {
    configure({ kubernetes: { version: "1.35.4", hold: { workers: "1.34.4", gpu: "1.34.4" } }, pools: { gpu: {} } });
    run("1.35.4", "1.34.4");
    fake.nodes.push({ name: "gpu-1", pool: "gpu", version: "1.34.4", roles: [] } as never);
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "workers" }, "plan")).toBe(0);
    expect(fake.output).toContain("  3. pool workers: worker-1 (1.34.4), drained, then the kubelet\n");
    expect(fake.output).toContain("These keep their version: gpu-1 (1.34.4)\n");
  });

  test("lets an upgrade with an emulation be undone, which the plan names", async () => {
    const undone =
      "Undo: `npm run upgrade -- --undo` returns the control planes to 1.35.4, until a worker has 1.36.3\n";
    const planOf = async (...flags: string[]) => {
      fake.output = "";
      expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" }, "plan", ...flags)).toBe(0);
      return fake.output;
    };
    expect(await planOf("emulate")).toContain(undone);
    expect(await planOf()).toContain("Undo: not possible: API servers of 1.36 may store");
    // After a failure, the configuration has the emulation.
    configure({ kubernetes: { version: "1.36.3" }, controlPlane: { emulate: "previous" } });
    expect(await planOf()).toContain(undone);
    expect(await planOf("resume")).toContain("Undo: not possible: API servers of 1.36 may store");
  });

  test("that stays is in the plan with the nodes that keep their version", async () => {
    configure({ kubernetes: { version: "1.36.3", hold: { workers: "1.35.4" } } });
    run("1.35.4", "1.35.4");
    expect(await upgradeWith({ to: "1.36.3" }, "plan")).toBe(0);
    expect(fake.output).toContain("These keep their version: worker-1 (1.35.4)\n");
    expect(fake.output).toContain("the upgrade is paused: pool workers stays on 1.35.4; continue with");
  });

  test("names no worker that the configuration does not have", async () => {
    fake.nodes.push({ name: "worker-2", pool: "workers", version: "1.35.3", roles: [] } as never);
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" })).toBe(0);
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3", "kubernetes.hold.workers": "1.35.4" } }]);
    expect(fake.output).toContain("These keep their version: worker-1 (1.35.4)\n");
    expect(fake.output).toContain("worker-2 (1.35.3) is not in the configuration: it keeps its version, or");
  });

  test("is what --emulate needs, unless no worker gets the version", async () => {
    const needed =
      /--emulate has no effect: the workers get 1\.36\.3 in the same run.*add --pause-after control-planes/;
    await expect(upgradeWith({ to: "1.36.3" }, "emulate")).rejects.toThrow(needed);
    await expect(upgradeWith({ to: "1.36.3", "pause-after": "workers" }, "emulate")).rejects.toThrow(
      /pausing the upgrade failed: no node that changes is left after workers/,
    );
    expect(fake.up).not.toHaveBeenCalled();
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" }, "emulate")).toBe(0);
    configure({ kubernetes: { version: "1.35.4" }, workers: { count: 0 } });
    expect(await upgradeWith({ to: "1.36.3" }, "emulate")).toBe(0);
    expect(changes()).toMatchObject([1, 2].map(() => ({ set: { "controlPlane.emulate": "previous" } })));
  });

  test("after a canary ends with the exit code of the check", async () => {
    fake.check.mockResolvedValue(3);
    expect(await upgradeWith({ to: "1.36.3", canary: "worker-1" })).toBe(3);
    expect(changes()).toMatchObject([{ set: { "kubernetes.canary[0]": "worker-1" } }]);
  });
});

test("--undo holds no worker that the configuration does not have", async () => {
  configure({ kubernetes: { version: "1.36.3", additional: { workers: 1 } }, controlPlane: { emulate: "previous" } });
  run("1.36.3", "1.35.4");
  fake.nodes.push({ name: "worker-3", pool: "workers", version: "1.35.3", roles: [] } as never);
  expect(await upgradeWith({}, "undo")).toBe(0);
  expect(changes()[0]).toMatchObject({ set: { "kubernetes.hold.workers": "1.35.4" } });
  expect(JSON.stringify(changes())).not.toContain("worker-3");
});

test("--undo returns the control planes to the version of the workers", async () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" } };
  configure({ kubernetes, controlPlane: { emulate: "previous" } });
  run("1.36.3", "1.35.4");
  expect(await upgradeWith({}, "undo")).toBe(0);
  expect(fake.output).toContain("Undo: 1.36.3 -> 1.35.4\n");
  expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.35.4" } }]);
});
