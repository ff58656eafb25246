import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run as upgrade } from "../../../../cli/commands/upgrade";
import { upgradeNotice } from "../../../../components/program/upgrade-notice";
import { assignMachines } from "../../../../components/program/assign-machines";
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

const UPGRADING = { before: "1.35.4", to: "1.36.3" };
/** A pause after the control planes; worker-2 had an older patch release, and is held by its name. */
const PAUSED = { version: "1.36.3", upgrading: UPGRADING, hold: { workers: "1.35.4", "worker-2": "1.35.3" } };
const ENDED = ["kubernetes.upgrading", "kubernetes.hold", "kubernetes.canary", "kubernetes.canaryAfter"];

const resume = async () => await upgrade(upgradeOptions({}, ["resume"]));

function addWorker(name: string, version: string): void {
  fake.nodes.push({ name, pool: "workers", version, roles: [] } as never);
}

beforeEach(() => {
  resetCluster();
  run("1.36.3", "1.35.4");
});
afterEach(() => vi.restoreAllMocks());

describe("a pool that shrinks while its upgrade is paused", () => {
  test("is resumed with the workers that are left", async () => {
    configure({ kubernetes: PAUSED, workers: { count: 1 } });
    expect(await resume()).toBe(0);
    expect(changes()).toMatchObject([{ set: { "kubernetes.version": "1.36.3" } }]);
    expect(JSON.stringify(changes())).not.toContain("worker-2");
    expect(removed()).toEqual(expect.arrayContaining(ENDED));
  });

  test("is resumed in the run that removes the worker too, and the plan names that worker", async () => {
    configure({ kubernetes: PAUSED, workers: { count: 1 } });
    addWorker("worker-2", "1.35.3");
    expect(await resume()).toBe(0);
    expect(fake.output).toContain("pool workers: worker-1 (1.35.4), drained");
    expect(fake.output).toContain("worker-2 (1.35.3) is not in the configuration");
    expect(changes()).toHaveLength(1);
  });

  test("to no worker at all is resumed too: the record of the upgrade must end", async () => {
    configure({ kubernetes: PAUSED, workers: { count: 0 } });
    fake.nodes = fake.nodes.filter(({ name }) => name !== "worker-1");
    expect(await resume()).toBe(0);
    expect(removed()).toEqual(expect.arrayContaining(ENDED));
  });

  test("can be paused again within what is left of it", async () => {
    configure({ kubernetes: PAUSED, workers: { count: 2, skip: [2] } });
    addWorker("worker-3", "1.35.4");
    expect(await upgrade(upgradeOptions({ "pause-after": "worker-1" }, ["resume"]))).toBe(0);
    expect(changes()).toMatchObject([
      { set: { "kubernetes.hold.workers": "1.35.4", "kubernetes.canary[0]": "worker-1" } },
    ]);
    expect(JSON.stringify(changes())).not.toContain("worker-2");
  });
});

describe("a worker that is added while an upgrade is paused", () => {
  test("gets the version of its pool, and a preview reports it", () => {
    configure({ kubernetes: { ...PAUSED, canary: ["worker-1"] }, workers: { count: 3 } });
    const [workers] = assignMachines(fake.config, []).pools;
    expect(workers).toMatchObject({ version: "1.35.4", canaries: ["worker-1"], versions: { "worker-2": "1.35.3" } });
    expect(upgradeNotice(fake.config)).toContain("pool workers stays on 1.35.4, worker-2 stays on 1.35.3");
    expect(upgradeNotice(fake.config)).toContain("a worker that is added gets the version of its pool");
  });

  test("is upgraded with the others by --resume", async () => {
    configure({ kubernetes: PAUSED, workers: { count: 3 } });
    addWorker("worker-2", "1.35.3");
    addWorker("worker-3", "1.35.4");
    expect(await resume()).toBe(0);
    expect(fake.output).toContain("pool workers: worker-1 (1.35.4), worker-2 (1.35.3), worker-3 (1.35.4), drained");
    expect(changes()).toHaveLength(1);
    expect(removed()).toEqual(expect.arrayContaining(ENDED));
  });
});
