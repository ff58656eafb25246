import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run as upgrade } from "../../../../cli/commands/upgrade";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import type { Options } from "../../../../cli/terminal/options";
import { type ClusterConfig, parseConfig } from "../../../../components/config";
import { fakeSession, fakeStack } from "../fake-stack";

const mocks = vi.hoisted(() => ({
  confirm: vi.fn<() => Promise<boolean>>(),
  up: vi.fn<(options: Options) => Promise<number>>(),
  check: vi.fn<(options: Options) => Promise<number>>(),
}));
let config: ClusterConfig;
let apiServers: string[];
let nodes: ClusterStatus["nodes"];
let problems: string[];
let output: string;
let errors: string;

vi.mock("../../../../cli/commands/up", () => ({ run: mocks.up }));
vi.mock("../../../../cli/commands/check", () => ({ run: mocks.check }));
vi.mock("../../../../cli/terminal/prompt", () => ({ confirm: mocks.confirm }));
vi.mock("../../../../cli/engine/session", async (original) => ({
  ...(await original<object>()),
  withSession: async (_stack: string, work: (one: unknown) => Promise<number>) => await work(fakeSession()),
}));
vi.mock("../../../../cli/engine/workspace", () => ({ prepareEngine: async () => ({}) }));
vi.mock("../../../../cli/engine/cluster-api", () => ({
  clusterApi: async () => ({}),
  requireStack: async () => fakeStack(),
}));
vi.mock("../../../../cli/engine/stack-config", () => ({ readStackConfig: async () => config }));
vi.mock("../../../../cli/nodes/upgrade-facts", () => ({
  readUpgradeStatus: async () => ({ version: "", nodes, certificates: [], problems, warnings: [], healthy: true }),
  readDeprecatedApis: async () => [],
  readObstacles: async () => new Map(),
}));
vi.mock("../../../../cli/nodes/upgrade-target", async (original) => ({
  ...(await original<object>()),
  assertTargetInstallable: async () => undefined,
}));
vi.mock("../../../../cli/nodes/upgrade-plan", async (original) => ({
  ...(await original<object>()),
  readApiServers: async () => apiServers.map((version) => ({ node: "control-plane-1", version })),
}));

function configure(raw: object): void {
  const environment = { kubernetesVersions: ["1.36.3", "1.35.4", "1.34.4"], fileExists: () => true };
  config = parseConfig({ workers: { count: 1 }, ...raw }, environment);
}

/** Sets the versions of the control plane and the worker. */
function run(controlPlane: string, worker: string): void {
  apiServers = [controlPlane];
  nodes = [
    { name: "control-plane-1", pool: "control-plane", version: controlPlane, roles: ["control-plane"] } as never,
    { name: "worker-1", pool: "workers", version: worker, roles: [] } as never,
  ];
}

async function upgradeWith(values: Options["values"] = {}, ...flags: string[]): Promise<number> {
  return await upgrade({ stack: "dev", config: {}, flags: new Set(flags), values, words: [] });
}

/** What each run of `up` removes from the configuration and sets in it. */
function changes(): object[] {
  return mocks.up.mock.calls.map(([{ removed, config: set }]) => ({ removed, set }));
}

const isTTY = process.stdin.isTTY;
beforeEach(() => {
  mocks.up.mockReset().mockResolvedValue(0);
  mocks.check.mockReset().mockResolvedValue(0);
  mocks.confirm.mockReset().mockResolvedValue(true);
  process.stdin.isTTY = false;
  problems = [];
  [output, errors] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((output += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
  configure({ kubernetes: { version: "1.35.4" } });
  run("1.35.4", "1.35.4");
});
afterEach(() => {
  process.stdin.isTTY = isTTY;
  vi.restoreAllMocks();
});

test("an upgrade prints its plan, and runs up with the version, without a second question", async () => {
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  expect(output).toContain("Upgrade: 1.35.4 -> 1.36.3\n");
  expect(changes()).toEqual([{ removed: [], set: { "kubernetes.version": "1.36.3" } }]);
  expect(mocks.up.mock.calls[0]?.[0].flags).toEqual(new Set(["yes"]));
});

test("--plan prints the plan, and changes nothing", async () => {
  process.stdin.isTTY = true;
  expect(await upgradeWith({ to: "1.36.3" }, "plan")).toBe(0);
  expect(output).toContain("Upgrade: 1.35.4 -> 1.36.3\n");
  expect(mocks.confirm).not.toHaveBeenCalled();
  expect(mocks.up).not.toHaveBeenCalled();
});

test("an upgrade that the user declines changes nothing", async () => {
  process.stdin.isTTY = true;
  mocks.confirm.mockResolvedValue(false);
  expect(await upgradeWith({ to: "1.36.3" })).toBe(0);
  expect(mocks.up).not.toHaveBeenCalled();
});

test("an upgrade with something to solve first ends with 1, and changes nothing", async () => {
  problems = ["etcd: member control-plane-1 is unhealthy"];
  expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
  expect(output).toContain("This must be solved first:\n  etcd: member control-plane-1 is unhealthy\n");
  expect(mocks.up).not.toHaveBeenCalled();
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
  expect(mocks.up).not.toHaveBeenCalled();
});

describe("--resume", () => {
  test("without a paused upgrade reports that there is nothing to upgrade", async () => {
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(output).toContain("Nothing to upgrade: every control plane runs 1.35.4");
    expect(mocks.up).not.toHaveBeenCalled();
  });

  test("ends the pause, and returns the user's canaries", async () => {
    const hold = { workers: "1.35.4" };
    configure({ kubernetes: { version: "1.36.3", hold, canary: [], canaryAfter: ["worker-1"] } });
    run("1.36.3", "1.35.4");
    expect(await upgradeWith({}, "resume")).toBe(0);
    expect(changes()).toEqual([
      {
        removed: ["kubernetes.hold", "kubernetes.canary", "kubernetes.canaryAfter", "controlPlane.emulate"],
        set: { "kubernetes.version": "1.36.3", "kubernetes.canary[0]": "worker-1" },
      },
    ]);
  });
});

test("--resume also ends a pause after which every node has the version", async () => {
  const hold = { workers: "1.35.4" };
  configure({ kubernetes: { version: "1.36.3", hold, canary: ["worker-1"] } });
  run("1.36.3", "1.36.3");
  expect(await upgradeWith({}, "resume")).toBe(0);
  expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3" } }]);
  expect(mocks.up.mock.calls[0]?.[0].removed).toContain("kubernetes.hold");
});

describe("a pause", () => {
  test("is recorded with the version of the workers, and the command that continues is printed", async () => {
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" })).toBe(0);
    expect(changes()).toEqual([
      {
        removed: ["kubernetes.hold", "kubernetes.canary"],
        set: { "kubernetes.version": "1.36.3", "kubernetes.hold.workers": "1.35.4" },
      },
    ]);
    expect(output).toContain("Paused. Run `npm run check`, then `npm run upgrade -- --resume`.");
    expect(mocks.check).not.toHaveBeenCalled();
  });

  test("names no worker that the configuration does not have", async () => {
    nodes.push({ name: "worker-2", pool: "workers", version: "1.35.3", roles: [] } as never);
    expect(await upgradeWith({ to: "1.36.3", "pause-after": "control-planes" })).toBe(0);
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3", "kubernetes.hold.workers": "1.35.4" } }]);
    expect(output).toContain("pool workers: worker-1 (1.35.4), drained");
    expect(output).toContain("worker-2 (1.35.3) is not in the configuration: it keeps its version, or");
  });

  test("after a canary ends with the exit code of the check", async () => {
    mocks.check.mockResolvedValue(3);
    expect(await upgradeWith({ to: "1.36.3", canary: "worker-1" })).toBe(3);
    expect(changes()).toMatchObject([{ set: { "kubernetes.canary[0]": "worker-1" } }]);
  });
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
    expect(errors).toBe("");
  });

  test("ends with the first one that fails, and with the command that continues to the target", async () => {
    mocks.up.mockResolvedValueOnce(1);
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(mocks.up).toHaveBeenCalledOnce();
    expect(errors).toBe("\nThe upgrade to 1.36.3 is not finished. Continue with `npm run upgrade -- --to 1.36.3`.\n");
  });

  test("continues with the options that the configuration may not have, or that --resume would end", async () => {
    mocks.up.mockResolvedValueOnce(1);
    expect(await upgradeWith({ to: "1.36.3", soak: "10m" }, "emulate")).toBe(1);
    expect(errors).toContain("Continue with `npm run upgrade -- --to 1.36.3 --emulate --soak 10m`.");
  });

  test("with additional machines continues with them", async () => {
    configure({ kubernetes: { version: "1.34.4" }, workers: { count: 1, surge: 1 } });
    mocks.up.mockResolvedValueOnce(0).mockResolvedValueOnce(1);
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(mocks.up).toHaveBeenCalledTimes(2);
    expect(errors).toContain("Continue with `npm run upgrade -- --resume --to 1.36.3`.");
  });

  test("does not begin where a pool would be too old at its end", async () => {
    configure({ kubernetes: { version: "1.34.4" }, pools: { old: { version: "1.34.4" } } });
    const old = { ...config.pools.old!, version: "1.32.1" };
    config = { ...config, pools: { old } };
    expect(await upgradeWith({ to: "1.36.3" })).toBe(1);
    expect(output).toMatch(
      /pools\.old\.version: kubelet 1\.32\.1 is 4 minor versions older than the control plane 1\.36/,
    );
    expect(mocks.up).not.toHaveBeenCalled();
  });
});

test("--undo holds no worker that the configuration does not have", async () => {
  configure({ kubernetes: { version: "1.36.3", additional: { workers: 1 } }, controlPlane: { emulate: "previous" } });
  run("1.36.3", "1.35.4");
  nodes.push({ name: "worker-3", pool: "workers", version: "1.35.3", roles: [] } as never);
  expect(await upgradeWith({}, "undo")).toBe(0);
  expect(changes()[0]).toMatchObject({ set: { "kubernetes.hold.workers": "1.35.4" } });
  expect(JSON.stringify(changes())).not.toContain("worker-3");
});

test("--undo returns the control planes to the version of the workers", async () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" } };
  configure({ kubernetes, controlPlane: { emulate: "previous" } });
  run("1.36.3", "1.35.4");
  expect(await upgradeWith({}, "undo")).toBe(0);
  expect(output).toContain("Undo: 1.36.3 -> 1.35.4\n");
  expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.35.4" } }]);
});
