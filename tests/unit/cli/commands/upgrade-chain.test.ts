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

test("the end of an upgrade removes what it has written, also names of removed workers", async () => {
  const upgrading = { before: "1.35.4", to: "1.36.3" };
  configure({ kubernetes: { version: "1.35.4", upgrading, hold: { "worker-9": "1.35.4" }, canary: ["worker-1"] } });
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  const [first] = changes() as { removed: string[]; set: object }[];
  expect(first?.removed).toEqual(
    expect.arrayContaining(["kubernetes.hold", "kubernetes.canary", "kubernetes.upgrading"]),
  );
  expect(first?.set).toEqual({ "kubernetes.version": "1.36.3", "kubernetes.canary[0]": "worker-1" });
  // A pause that stays keeps the record.
  fake.up.mockClear();
  configure({ kubernetes: { version: "1.35.4", upgrading, hold: { workers: "1.35.4" } } });
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  expect(changes()).toMatchObject([{ removed: [] }]);
});

describe("a chain of minor versions", () => {
  beforeEach(() => {
    configure({ kubernetes: { version: "1.34.4" } });
    run("1.34.4", "1.34.4");
  });

  test("runs up for each of them", async () => {
    expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
    expect(changes()).toMatchObject([
      { set: { "kubernetes.version": "1.35.4" } },
      { set: { "kubernetes.version": "1.36.3" } },
    ]);
    expect(fake.errors).toBe("");
  });

  test("is recorded with its target from the first step to the last one", async () => {
    const target = { "kubernetes.upgrading.before": "1.34.4", "kubernetes.upgrading.to": "1.36.3" };
    expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
    expect(changes()).toEqual([
      { removed: [], set: { "kubernetes.version": "1.35.4", ...target } },
      {
        removed: ["kubernetes.upgrading", "kubernetes.hold", "kubernetes.additional"],
        set: { "kubernetes.version": "1.36.3" },
      },
    ]);
  });

  test("goes on to the recorded target with --resume, and keeps the version that it began with", async () => {
    configure({ kubernetes: { version: "1.34.4", upgrading: { before: "1.33.9", to: "1.35.4" } } });
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.35.4" } }]);
    expect(removed()).toContain("kubernetes.upgrading");
    fake.up.mockClear();
    expect(await upgradeWith({ to: "1.36.3" }, "resume")).toBe(0);
    expect(changes()[0]).toMatchObject({
      set: { "kubernetes.upgrading.before": "1.33.9", "kubernetes.upgrading.to": "1.36.3" },
    });
  });

  test("whose record is older than the cluster does not go back to its target", async () => {
    configure({ kubernetes: { version: "1.36.3", upgrading: { before: "1.34.4", to: "1.35.4" } } });
    run("1.36.3", "1.36.3");
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3" } }]);
    expect(removed()).toContain("kubernetes.upgrading");
  });

  test.each([
    ["between two minor versions", "1.35.4", ["1.36.3"]],
    ["before its last node had the first one", "1.34.4", ["1.35.4", "1.36.3"]],
  ])("that was killed %s goes on there with --resume, and `upgrade` without options too", async (_, worker, steps) => {
    configure({ kubernetes: { version: "1.35.4", upgrading: { before: "1.34.4", to: "1.36.3" } } });
    run("1.35.4", worker);
    for (const flags of [["resume"], []]) {
      fake.up.mockClear();
      expect(await upgradeWith({}, ...flags)).toBe(0);
      expect(changes()).toMatchObject(steps.map((version) => ({ set: { "kubernetes.version": version } })));
      expect((changes().at(-1) as { removed: string[] }).removed).toContain("kubernetes.upgrading");
    }
  });

  test("that was killed after the last change of the configuration goes on with --resume", async () => {
    configure({ kubernetes: { version: "1.36.3" } });
    run("1.35.4", "1.35.4");
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(fake.output).toContain("Upgrade: 1.35.4 -> 1.36.3\n");
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3" } }]);
  });

  test("does not take its first version from the record of an upgrade that has ended", async () => {
    configure({ kubernetes: { version: "1.34.4", upgrading: { before: "1.33.9", to: "1.34.4" } } });
    expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
    expect(changes()[0]).toMatchObject({ set: { "kubernetes.upgrading.before": "1.34.4" } });
  });

  test("ends with the first one that fails, and with the command that continues to the target", async () => {
    fake.up.mockResolvedValueOnce(1);
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(fake.up).toHaveBeenCalledOnce();
    expect(fake.errors).toBe(
      "\nThe upgrade to 1.36.3 is not finished. Continue with `npm run upgrade -- --to 1.36.3`.\n",
    );
  });

  test("continues with the options that the configuration may not have, or that --resume would end", async () => {
    fake.up.mockResolvedValueOnce(1);
    configure({ kubernetes: { version: "1.34.4", hold: { workers: "1.34.4" } } });
    expect(await upgradeWith({ to: "1.36.3", soak: "10m" }, "emulate")).toBe(1);
    expect(fake.errors).toContain("Continue with `npm run upgrade -- --to 1.36.3 --emulate --soak 10m`.");
  });

  test("with additional machines continues with them", async () => {
    configure({ kubernetes: { version: "1.34.4" }, workers: { count: 1, surge: 1 } });
    fake.up.mockResolvedValueOnce(0).mockResolvedValueOnce(1);
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(fake.up).toHaveBeenCalledTimes(2);
    expect(fake.errors).toContain("Continue with `npm run upgrade -- --resume --to 1.36.3`.");
  });

  test("does not begin where a pool would be too old at its end", async () => {
    configure({ kubernetes: { version: "1.34.4" }, pools: { old: { version: "1.34.4" } } });
    const old = { ...fake.config.pools.old!, version: "1.32.1" };
    fake.config = { ...fake.config, pools: { old } };
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(fake.output).toMatch(
      /pools\.old\.version: kubelet 1\.32\.1 is 4 minor versions older than the control plane 1\.36/,
    );
    expect(fake.up).not.toHaveBeenCalled();
  });
});
