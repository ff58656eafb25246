import * as pulumi from "@pulumi/pulumi";
import { fc } from "../../../support/fast-check";
import { describe, expect, test } from "vitest";
import { RollingUpdate, type RollingUpdateArgs } from "../../../../components/nodes/rolling-update";

class Node extends pulumi.CustomResource {
  constructor(name: string) {
    super("test:Node", name, {});
  }
}

/** Machines in `members` were members of the cluster before this run. */
async function rollingUpdate(
  names: readonly string[],
  members: readonly string[],
  maxUnavailable?: number,
  preview = false,
): Promise<RollingUpdate> {
  return await updateOf({ pools: [{ names, ...(maxUnavailable ? { maxUnavailable } : {}) }] }, members, preview);
}

async function updateOf(args: RollingUpdateArgs, members: readonly string[], preview = false): Promise<RollingUpdate> {
  const since = Object.fromEntries(members.map((name) => [name, "an earlier run"]));
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => inputs as Record<string, unknown>,
      newResource: ({ name, inputs }) => ({ id: name, state: { ...(inputs as object), since } }),
    },
    "kubewright",
    "dev",
    preview,
  );
  return new RollingUpdate("dev", args);
}

/** The machines whose turn has come, once everything that can happen by itself has happened. */
async function settledTurns(names: readonly string[], turns: ReadonlyMap<string, Promise<unknown>>): Promise<string[]> {
  const done: string[] = [];
  for (const name of names) void turns.get(name)?.then(() => done.push(name));
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve));
  return names.filter((name) => done.includes(name));
}

const NAMES = ["worker-1", "worker-2", "worker-3", "worker-4"];

test.each<[number | undefined, string[]]>([
  [undefined, ["worker-1"]],
  [2, ["worker-1", "worker-2"]],
  [4, NAMES],
])("with maxUnavailable %s the first machines start, and the others wait for a node", async (maxUnavailable, first) => {
  const update = await rollingUpdate(NAMES, NAMES, maxUnavailable);
  // A node that never becomes Ready: its machine's successor must wait.
  for (const name of NAMES)
    update.addNode(name, { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
  const turns = new Map(NAMES.map((name) => [name, update.turnOf(name)]));
  expect(await settledTurns(NAMES, turns)).toEqual(first);
});

test("a machine starts once the node before it is registered as Ready", async () => {
  const update = await rollingUpdate(NAMES, NAMES);
  update.addNode("worker-1", new Node("worker-1-node"));
  await expect(update.turnOf("worker-2")).resolves.toEqual([]);
});

test("machines that are new in this run do not wait", async () => {
  const update = await rollingUpdate(NAMES, ["worker-1"]);
  for (const name of NAMES)
    update.addNode(name, { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
  await expect(update.turnOf("worker-3")).resolves.toEqual([]);
});

describe("a machine of the middle of a pool that is new in this run", () => {
  const members = ["worker-1", "worker-3"];

  test("delays no machine after it, because its checks wait for all machines", async () => {
    const update = await rollingUpdate(NAMES, members);
    update.addNode("worker-1", new Node("worker-1-node"));
    update.addNode("worker-2", { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
    const turns = new Map([["worker-3", update.turnOf("worker-3")]]);
    expect(await settledTurns(["worker-3"], turns)).toEqual(["worker-3"]);
  });

  test("keeps the order of the members around it", async () => {
    const update = await rollingUpdate(NAMES, members);
    update.addNode("worker-1", { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
    const turns = new Map([["worker-3", update.turnOf("worker-3")]]);
    expect(await settledTurns(["worker-3"], turns)).toEqual([]);
  });
});

test("nothing waits in a preview", async () => {
  const update = await rollingUpdate(NAMES, NAMES, 1, true);
  update.addNode("worker-1", { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
  await expect(update.turnOf("worker-2")).resolves.toEqual([]);
});

test("at most maxUnavailable machines of any pool are changed while no node is Ready", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }), async (count, maxUnavailable) => {
      const names = Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
      const update = await rollingUpdate(names, names, maxUnavailable);
      for (const name of names)
        update.addNode(name, { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource);
      const turns = new Map(names.map((name) => [name, update.turnOf(name)]));
      expect(await settledTurns(names, turns)).toHaveLength(Math.min(count, maxUnavailable));
    }),
    { numRuns: 15 },
  );
});

describe("of two pools", () => {
  const pools = [{ names: ["worker-1", "worker-2", "worker-3"], maxUnavailable: 2 }, { names: ["gpu-1", "gpu-2"] }];
  const names = pools.flatMap((pool) => pool.names);

  /** The machines that may change while only the nodes of some machines are Ready. */
  async function allowed(args: Partial<RollingUpdateArgs>, ready: readonly string[] = []): Promise<string[]> {
    const update = await updateOf({ pools, ...args }, names);
    for (const name of names) {
      const urn = ready.includes(name) ? pulumi.output("urn") : pulumi.output(new Promise<string>(() => {}));
      update.addNode(name, { urn } as pulumi.Resource);
    }
    const turns = new Map(names.map((name) => [name, update.turnOf(name)]));
    return (await settledTurns(names, turns)).filter((name) => !ready.includes(name));
  }

  test("both change in parallel, or one after the other", async () => {
    expect(await allowed({})).toEqual(["worker-1", "worker-2", "gpu-1"]);
    expect(await allowed({ onePoolAtATime: true })).toEqual(["worker-1", "worker-2"]);
    expect(await allowed({ onePoolAtATime: true }, ["worker-1", "worker-2"])).toEqual(["worker-3"]);
    expect(await allowed({ onePoolAtATime: true }, ["worker-1", "worker-2", "worker-3"])).toEqual(["gpu-1"]);
  });

  test("canaries of both change first, one after the other", async () => {
    const first = ["worker-2", "gpu-1"];
    expect(await allowed({ first })).toEqual(["worker-2"]);
    expect(await allowed({ first }, ["worker-2"])).toEqual(["gpu-1"]);
    expect(await allowed({ first }, first)).toEqual(["worker-1", "worker-3", "gpu-2"]);
  });
});

describe("an additional machine of an upgrade, which is a canary", () => {
  const names = ["worker-1", "worker-2", "worker-3"];
  const args = { pools: [{ names }], first: ["worker-3"] };
  const pending = { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource;

  async function allowed(members: readonly string[]): Promise<string[]> {
    const update = await updateOf(args, members);
    for (const name of names) update.addNode(name, pending);
    return await settledTurns(names, new Map(names.map((name) => [name, update.turnOf(name)])));
  }

  test("joins while no other machine waits for it", async () => {
    expect(await allowed(["worker-1", "worker-2"])).toEqual(["worker-1", "worker-3"]);
  });

  test("is Ready before the others change", async () => {
    expect(await allowed(names)).toEqual(["worker-3"]);
  });
});

describe("a pool whose machines are replaced", () => {
  const replaced = (members: readonly string[]) =>
    updateOf(
      { pools: [{ names: ["worker-1"], replacedFor: { "worker-1": "1.36.3" } }], others: ["cp-1", "cp-2"] },
      members,
    );
  const pending = { urn: pulumi.output(new Promise<string>(() => {})) } as pulumi.Resource;

  test("waits for every control plane, whose version must not be older", async () => {
    const update = await replaced(["worker-1", "cp-1", "cp-2"]);
    update.addNode("cp-1", new Node("cp-1-node"));
    update.addNode("cp-2", pending);
    expect(await settledTurns(["worker-1"], new Map([["worker-1", update.turnOf("worker-1")]]))).toEqual([]);
  });

  test("does not wait for a control plane that joins in the same run, whose checks wait for all machines", async () => {
    const update = await replaced(["worker-1", "cp-1"]);
    update.addNode("cp-1", new Node("cp-1-node"));
    update.addNode("cp-2", pending);
    await expect(update.turnOf("worker-1")).resolves.toEqual([]);
  });

  test("replaces a machine for its version", async () => {
    expect((await replaced([])).replacementTriggerOf("worker-1")).toBe("1.36.3");
    expect((await rollingUpdate(NAMES, NAMES)).replacementTriggerOf("worker-1")).toBeUndefined();
  });
});
