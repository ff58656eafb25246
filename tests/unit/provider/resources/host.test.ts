import { beforeEach, describe, expect, test } from "vitest";
import type { Connection, WrittenConnection } from "../../../../contracts/connection";
import type { Context } from "../../../../provider/rpc/handler";
import { hostResource } from "../../../../provider/resources/host";
import { ConnectionError, HostKeyError } from "../../../../provider/ssh/errors";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { factsOutput } from "../../../support/facts-output";
import { MemoryMachine } from "../../../support/memory-machine";

const KEY = "ssh-ed25519 AAAA";
const OTHER_KEY = "ssh-ed25519 BBBB";
const JUMP_KEY = "ssh-ed25519 CCCC";

/** A machine that presents host keys. `failure` makes its connections fail. */
class HostMachine extends MemoryMachine {
  key = KEY;
  boot = "b1\n100\n";
  failure: Error | undefined;

  constructor() {
    super();
    this.on(/kubelet_runtime/, () => factsOutput({ machine_id: this.instance }));
    this.on(/^cat \/proc\/sys\/kernel\/random\/boot_id/, () => this.boot);
  }

  override machineId() {
    return this.failure ? Promise.reject(this.failure) : super.machineId();
  }
  waitAtLeast = () => undefined;
  hostKey = () => Promise.resolve(this.key);
  jumpHostKeys = () => Promise.resolve([JUMP_KEY]);
}

let machine: HostMachine;
let messages: string[];
let opened: (Connection & { trusted?: boolean })[];
let context: Context;
beforeEach(() => {
  machine = new HostMachine();
  messages = [];
  opened = [];
  const say = (message: string) => void messages.push(message);
  context = testContext({ info: say, warn: say });
  const open = (connection: Connection) => {
    opened.push(connection);
    return machine as never;
  };
  context.connections.get = open;
  context.connections.trust = (connection) => open({ ...connection, trusted: true } as Connection);
});

const inputs = (connection: Partial<WrittenConnection> = {}) => ({
  connection: connectionTo({ host: "10.0.0.1", name: "worker-1", ...connection }),
});
const create = (connection: Partial<WrittenConnection> = {}) => hostResource.create(context, inputs(connection));
async function recorded(connection: Partial<WrittenConnection> = {}) {
  const { outputs } = await create(connection);
  [messages, opened] = [[], []];
  return { inputs: inputs(connection), outputs };
}

test("the first connection pins the host key that it sees, and shows its fingerprint", async () => {
  const { id, outputs } = await create();
  expect(id).toBe("worker-1");
  expect(outputs).toMatchObject({ instance: "a1", hostKey: KEY, jumpHostKeys: [JUMP_KEY], boot: "b1/100" });
  expect(opened).toMatchObject([{ trusted: true }]);
  expect(messages).toEqual([
    expect.stringMatching(/^first connection: its host key ssh-ed25519 SHA256:\S+ is pinned$/),
  ]);
});

test("a configured host key is verified, and not reported", async () => {
  await create({ hostKey: KEY });
  expect(opened).toEqual([expect.not.objectContaining({ trusted: true })]);
  expect(messages).toEqual([]);
});

test("facts that change in every run are not recorded", async () => {
  const { facts } = (await create()).outputs;
  expect(facts).toMatchObject({ osId: "debian", cpus: 4 });
  expect(facts).not.toHaveProperty("diskMiB");
  expect(facts).not.toHaveProperty("diskFreeMiB");
  expect(facts).not.toHaveProperty("clockSkewSeconds");
});

test("a refresh verifies the pinned key, and reports a reboot", async () => {
  const old = await recorded();
  expect(await hostResource.read!(context, "id", old)).toEqual(old);
  expect(opened.every(({ hostKey }) => hostKey === KEY)).toBe(true);
  expect(messages).toEqual([]);
  machine.boot = "b2\n100\n";
  expect((await hostResource.read!(context, "id", old))?.outputs.boot).toBe("b2/100");
  expect(messages).toEqual([expect.stringMatching(/worker-1.* was rebooted since the last run/)]);
});

test("a refresh of a rebuilt machine records the new machine", async () => {
  const old = await recorded();
  machine.instance = "b2";
  expect((await hostResource.read!(context, "id", old))?.outputs).toMatchObject({ instance: "b2" });
});

test("a refresh that had to accept another host key asks to remove the exception", async () => {
  const old = await recorded();
  machine.key = OTHER_KEY;
  expect((await hostResource.read!(context, "id", old))?.outputs.hostKey).toBe(OTHER_KEY);
  expect(messages).toEqual([expect.stringContaining("remove it from recovery.acceptHostKeys")]);
});

test("a machine that its platform has replaced is deleted from the state", async () => {
  const old = await recorded();
  const connection = { ...old.inputs.connection, hostKey: KEY };
  machine.failure = new HostKeyError(connection, OTHER_KEY);
  Object.assign(machine, { connection });
  await expect(hostResource.read!(context, "worker-1", old)).rejects.toThrow(HostKeyError);
  Object.assign(context, { isMachineRemoved: () => Promise.resolve(true) });
  expect(await hostResource.read!(context, "worker-1", old)).toBeUndefined();
});

test("a machine that is gone is deleted from the state", async () => {
  const old = await recorded();
  context.unreachable.markGone({ ...old.inputs.connection, hostKey: KEY });
  expect(await hostResource.read!(context, "id", old)).toBeUndefined();
});

describe("the pinned key of a jump host", () => {
  const readThrough = async (before: string, after: string) => {
    const old = await recorded({ jump: { host: before } });
    await hostResource.update!(context, "id", inputs({ jump: { host: after } }), old);
    return opened[0]?.jump?.hostKey;
  };

  test("is verified as long as the jump host is the same", async () => {
    expect(await readThrough("10.0.0.9", "10.0.0.9")).toBe(JUMP_KEY);
  });

  test("is not expected of another jump host", async () => {
    expect(await readThrough("10.0.0.9", "10.0.0.8")).toBeUndefined();
  });
});

describe("after a change of the connection settings", () => {
  const isSame = async (connection: Partial<WrittenConnection>, failure?: Error) => {
    const old = await recorded();
    machine.failure = failure;
    return await hostResource.isSame!(inputs(connection), old, context);
  };
  const moved = { host: "10.0.0.2" };
  const transient = new ConnectionError(connectionTo(moved), "connect ETIMEDOUT", "transient");

  test("the machine-id decides whether it is the same machine", async () => {
    expect(await isSame(moved)).toBe(true);
    expect(opened).toMatchObject([{ host: "10.0.0.2", hostKey: KEY }]);
    const old = await recorded();
    machine.instance = "b2";
    expect(await hostResource.isSame!(inputs(moved), old, context)).toBe(false);
  });

  test("a machine with another host key is another machine", async () => {
    expect(await isSame(moved, new HostKeyError(connectionTo(moved), OTHER_KEY))).toBe(false);
  });

  test("a new host key announces a new machine, which may still boot", async () => {
    expect(await isSame({ ...moved, hostKey: OTHER_KEY }, transient)).toBe(false);
  });

  test("a machine that does not answer is not replaced: the error names the next action", async () => {
    await expect(isSame(moved, transient)).rejects.toThrow(
      /verifying that it is the same machine failed on worker-1.*ETIMEDOUT.*; nothing was changed on it; fix the new/,
    );
  });
});
