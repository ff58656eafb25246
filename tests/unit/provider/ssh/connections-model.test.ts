import { fc } from "../../../support/fast-check";
import { expect, test, vi } from "vitest";
import type { Connection } from "../../../../contracts/connection";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { Connections } from "../../../../provider/ssh/connections";
import { elapse, useFakeTime } from "../../../support/fake-time";
import { FUZZ_FACTOR } from "../../../support/hostile";
import { asWorldChannel, hostKey, SshWorld, type WorldChannel } from "../../../support/ssh-world";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const LIMIT = 2;
const RUNS = 40;
/** Milliseconds after which everything that can happen has happened. */
const LONG_MS = 3_000;

interface Use {
  connection: Connection;
  abort: AbortController;
  state: "waiting" | "open" | "ended";
  channel?: WorldChannel;
}

/** The pool, its machines, and the uses of its connections. */
class Pool {
  readonly world = new SshWorld();
  readonly clock = { now: () => Date.now() };
  readonly pool = new Connections(
    { ...DEFAULT_SETTINGS, connectionLimit: LIMIT },
    { clock: this.clock, dialer: this.world.dial },
  );
  readonly uses: Use[] = [];
  private trusted = 0;

  acquire(connection: Connection): void {
    const use: Use = { connection, abort: new AbortController(), state: "waiting" };
    this.uses.push(use);
    const opening = this.pool.get(connection).forward("127.0.0.1", 6443, use.abort.signal);
    opening.then(
      (channel) => this.onOpen(use, asWorldChannel(channel)),
      () => (use.state = "ended"),
    );
  }

  /** A connection that was opened without a pin stays open, with another owner, if a pin shares it. */
  trust(at: number): void {
    this.pool.trust({ ...connectionOf(at, -1), name: `${at} trusted ${this.trusted++}` });
  }

  find(state: Use["state"], index: number): Use | undefined {
    const found = this.uses.filter((use) => use.state === state);
    return found[index % found.length];
  }

  check(): void {
    const { clients } = this.world;
    expect(clients.length, "open connections").toBeLessThanOrEqual(LIMIT);
    const owners = clients.map(({ owner }) => owner);
    expect(owners, "one connection of each login and pin").toEqual([...new Set(owners)]);
    for (const { state, connection, channel } of this.uses)
      if (state === "open" && connection.hostKey !== undefined)
        expect(channel?.client.hostKey).toBe(connection.hostKey);
  }

  /** A use waits only for a machine that is silent, or while all slots are in use. */
  checkProgress(): void {
    const inUse = this.world.clients.filter(({ channels }) => channels.size > 0).length;
    const silent = this.uses.filter((use) => use.state === "waiting" && this.world.at(use.connection).isSilent);
    if (inUse + silent.length >= LIMIT) return;
    for (const use of this.uses) if (!silent.includes(use)) expect(use.state).not.toBe("waiting");
  }

  private onOpen(use: Use, channel: WorldChannel): void {
    use.channel = channel;
    use.state = channel.isOpen ? "open" : "ended";
    channel.on("close", () => (use.state = "ended"));
  }
}

/** @param pin a key, or -1 for none. The name marks the owner of the connection. */
function connectionOf(machine: number, pin: number): Connection {
  const name = `${machine} ${pin}`;
  return { host: String(machine), port: 22, user: "root", name, ...(pin < 0 ? {} : { hostKey: hostKey(pin) }) };
}

type Action = (pool: Pool) => void | Promise<void>;

/** A command that is always possible, and the checks after it. */
function command(name: string, action: Action): fc.AsyncCommand<object, Pool> {
  return {
    check: () => true,
    toString: () => name,
    run: async (_, pool) => {
      await action(pool);
      pool.check();
    },
  };
}

const machine = fc.nat(2);
const any = fc.nat(5);
const acquire = fc.tuple(machine, fc.constantFrom(-1, 0, 0, 1), fc.constantFrom(0, 5, 12)).map(([at, pin, ms]) =>
  command(`acquire ${at} with pin ${pin}, wait ${ms}`, async (pool) => {
    pool.acquire(connectionOf(at, pin));
    await elapse(ms);
  }),
);
const release = any.map((index) => command(`release ${index}`, (pool) => pool.find("open", index)?.channel?.close()));
const waitLong = fc.constant(
  command("wait long", async (pool) => {
    await elapse(LONG_MS);
    pool.checkProgress();
  }),
);
const commands = [
  ...[acquire, acquire, acquire, acquire, release, release, waitLong],
  any.map((index) => command(`abort ${index}`, (pool) => pool.find("waiting", index)?.abort.abort(new Error("stop")))),
  machine.map((at) => command(`cut ${at}`, (pool) => [...pool.world.machine(at).clients].forEach((one) => one.end()))),
  machine.map((at) => command(`change the key of ${at}`, (pool) => void (pool.world.machine(at).key ^= 1))),
  fc
    .tuple(machine, fc.boolean())
    .map(([at, isSilent]) =>
      command(`${isSilent ? "silence" : "wake"} ${at}`, (pool) => void (pool.world.machine(at).isSilent = isSilent)),
    ),
  machine.map((at) => command(`trust ${at}`, (pool) => pool.trust(at))),
  fc.constant(command("close all", (pool) => pool.pool.closeAll())),
];

/** Nothing is left when all uses have ended, and every slot is free. */
async function checkEnd(pool: Pool): Promise<void> {
  for (const one of pool.world.machines) one.isSilent = false;
  for (const { abort, channel } of pool.uses) {
    abort.abort(new Error("the end"));
    channel?.close();
  }
  await elapse(LONG_MS);
  expect(pool.uses.filter(({ state }) => state !== "ended")).toEqual([]);
  pool.pool.closeAll();
  expect(pool.world.clients).toEqual([]);
  for (let at = 0; at < LIMIT; at++) pool.acquire(connectionOf(at, pool.world.machine(at).key));
  await elapse(LONG_MS);
  expect(pool.uses.filter(({ state }) => state === "open")).toHaveLength(LIMIT);
  pool.pool.closeAll();
  expect(pool.world.clients).toEqual([]);
}

test(
  "connections have one owner per login and pin, none is left open, and each wait can be aborted",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 30, size: "max" }), async (sequence) => {
        const pool = new Pool();
        await fc.asyncModelRun(() => ({ model: {}, real: pool }), sequence);
        await checkEnd(pool);
      }),
      { numRuns: RUNS * FUZZ_FACTOR },
    );
  },
  10_000 * FUZZ_FACTOR,
);

test("an attempt that was given up does not release the slot of the next one", async () => {
  const pool = new Pool();
  pool.acquire(connectionOf(0, 0));
  await elapse(12);
  pool.acquire(connectionOf(1, 0));
  pool.find("waiting", 0)?.abort.abort(new Error("stop"));
  await elapse(0);
  for (const at of [1, 2]) pool.acquire(connectionOf(at, 0));
  await elapse(LONG_MS);
  pool.check();
  await checkEnd(pool);
});

test("trust shares a connection without a pin that is in use, and the pool closes one that it replaced", async () => {
  const pool = new Pool();
  const first = pool.pool.get(connectionOf(0, -1));
  pool.acquire(connectionOf(0, -1));
  await elapse(12);
  expect(pool.pool.trust(connectionOf(0, -1))).toBe(first);
  pool.find("open", 0)?.channel?.close();
  await elapse(12);
  expect(pool.pool.trust(connectionOf(0, -1))).not.toBe(first);
  const opening = first.forward("127.0.0.1", 6443, new AbortController().signal);
  await elapse(12);
  asWorldChannel(await opening).close();
  await checkEnd(pool);
});
