import { expect, test } from "vitest";
import type { Context, Recorded } from "../../../../provider/rpc/handler";
import { readMachine, findMachine, requireMachine } from "../../../../provider/host/on-machine";
import { HostKeyError } from "../../../../provider/ssh/errors";
import { Connections } from "../../../../provider/ssh/connections";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { answer, InMemorySsh } from "../../../support/in-memory-ssh";
import { testContext } from "../../../support/context";

const INSTANCE = "a1b2c3d4e5f6";

/** A machine with that machine-id, and a context that leads to it. */
function machine(machineId = INSTANCE, parts: Partial<Context> = {}) {
  const server = new InMemorySsh({ run: (channel) => answer(channel, `${machineId}\n`) });
  const warnings: string[] = [];
  const context = testContext({
    connections: server.pool(),
    isMachineRemoved: () => Promise.resolve(false),
    warn: (message) => void warnings.push(message),
    ...parts,
  });
  const inputs = { connection: server.connection(), instance: INSTANCE };
  return { server, context, inputs, warnings };
}

/** A context in which no machine answers. */
function silent(settings: Parameters<typeof testContext>[1] = {}, parts: Partial<Context> = {}) {
  let now = 0;
  const connections = new Connections(DEFAULT_SETTINGS, {
    clock: { now: () => (now += 60_000) },
    dialer: (connection) => Promise.reject(new ConnectionError(connection, "connect ETIMEDOUT", "transient")),
  });
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const isMachineRemoved = () => Promise.resolve(false);
  return { context: testContext({ connections, isMachineRemoved, warn, ...parts }, settings), warnings };
}

const connection = { name: "worker-2", host: "10.0.0.12", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
const inputs = { connection, instance: INSTANCE };
const old: Recorded<typeof inputs, object> = { inputs, outputs: {} };

test("work on a machine begins once its machine-id is verified", async () => {
  const begun: unknown[] = [];
  const { context, inputs: own } = machine(INSTANCE, { begin: () => void begun.push("begun") });
  expect((await requireMachine(context, own)).label).toBe("worker-1 (10.0.0.11)");
  expect(begun).toEqual(["begun"]);
  context.connections.closeAll();
});

test("work does not begin on a machine with another machine-id", async () => {
  const begun: unknown[] = [];
  const { context, inputs: own } = machine("ffff", { begin: () => void begun.push("begun") });
  await expect(requireMachine(context, own)).rejects.toThrow(/machine-id ffff.*pulumi up --refresh/);
  expect(begun).toEqual([]);
  context.connections.closeAll();
});

test("a delete cleans the machine with the recorded machine-id, and skips a rebuilt one", async () => {
  const same = machine();
  expect(await findMachine(same.context, same.inputs)).toBeDefined();
  const rebuilt = machine("ffff");
  expect(await findMachine(rebuilt.context, rebuilt.inputs)).toBeUndefined();
  for (const { context } of [same, rebuilt]) context.connections.closeAll();
});

test("a delete fails on another host key, which does not prove that the machine was rebuilt", async () => {
  const { server, context, inputs: own } = machine();
  server.changeHostKey();
  await expect(findMachine(context, own)).rejects.toThrow(HostKeyError);
  expect(server.passwords).toEqual([]);
  context.connections.closeAll();
});

test("a refresh fails on another host key", async () => {
  const { server, context, inputs: own } = machine();
  server.changeHostKey();
  const read = readMachine(context, { inputs: own, outputs: {} }, async () => expect.fail("it was read"));
  await expect(read).rejects.toThrow(HostKeyError);
  context.connections.closeAll();
});

test("a refresh keeps the state of a machine that does not answer, and warns once", async () => {
  const { context, warnings } = silent();
  for (const _ of [1, 2])
    expect(
      await readMachine(
        context,
        old,
        async (remote) => (await remote.run("x", { step: "x", signal: context.signal }), old),
      ),
    ).toBe(old);
  expect(warnings).toHaveLength(1);
});

test("a delete fails on a machine that does not answer, and names the setting that abandons it", async () => {
  const { context } = silent();
  await expect(findMachine(context, inputs)).rejects.toThrow(/kubewright:recovery.abandoned\[0\]' worker-2/);
});

test("a delete leaves an abandoned machine as it is, with a warning", async () => {
  const { context, warnings } = silent({ abandoned: ["worker-2"] });
  expect(await findMachine(context, inputs)).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test("no machine is contacted that this run replaces, or that its platform has removed", async () => {
  const rebuilt = silent({ rebuilt: [INSTANCE] });
  expect(await findMachine(rebuilt.context, inputs)).toBeUndefined();
  const gone = silent();
  gone.context.unreachable.markGone(connection);
  expect(await findMachine(gone.context, inputs)).toBeUndefined();
  expect(await readMachine(gone.context, old, () => expect.fail("it was read"))).toBeUndefined();
  const removed = silent({}, { isMachineRemoved: () => Promise.resolve(true) });
  expect(await findMachine(removed.context, inputs)).toBeUndefined();
  expect(removed.context.unreachable.isMarkedGone(connection)).toBe(true);
});

/** A context in which another machine has the address of the recorded one, with another host key. */
function impostor(isReplaced: boolean, parts: Partial<Context> = {}) {
  const isMachineRemoved = ({ instance }: { instance: string }) => Promise.resolve(isReplaced && instance === INSTANCE);
  const connections = new Connections(DEFAULT_SETTINGS, {
    dialer: (to) => Promise.reject(new HostKeyError(to, "ssh-ed25519 BBBB")),
  });
  return testContext({ connections, isMachineRemoved, ...parts }, { abandoned: ["worker-2"] });
}

test("a machine that its platform has replaced, with another host key, is skipped", async () => {
  const context = impostor(true);
  expect(await readMachine(context, old, () => Promise.resolve(old))).toBeUndefined();
  expect(context.unreachable.isMarkedGone(connection)).toBe(true);
  expect(await findMachine(impostor(true), inputs)).toBeUndefined();
});

test("another host key is an error otherwise, even of an abandoned machine", async () => {
  await expect(readMachine(impostor(false), old, () => Promise.resolve(old))).rejects.toThrow(HostKeyError);
  await expect(findMachine(impostor(false), inputs)).rejects.toThrow(HostKeyError);
});

test("a refresh that finds nothing keeps an unfinished resource, of which parts may exist", async () => {
  const { context, inputs: own } = machine();
  const refresh = (unfinished: boolean) =>
    readMachine(context, { inputs: own, outputs: {}, unfinished }, async () => undefined);
  expect(await refresh(false)).toBeUndefined();
  expect(await refresh(true)).toMatchObject({ inputs: own });
  context.connections.closeAll();
});
