import { expect, test } from "vitest";
import { Connections } from "../../../../provider/ssh/connections";
import { ConnectionError, HostKeyError } from "../../../../provider/ssh/errors";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const run = { step: "a test", signal };

test("connections of one login and pin are shared; other credentials, users and jump hosts are not", () => {
  const pool = new Connections();
  const plain = { host: "10.0.0.1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
  const one = pool.get(plain);
  expect(pool.get({ ...plain, name: "other", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA comment" })).toBe(one);
  const others = [
    { port: 2222 },
    { user: "admin" },
    { privateKeyPath: "/key" },
    { privateKey: "k" },
    { agent: true },
    { password: "p" },
    { sudoPassword: "p" },
    { jump: { host: "bastion", port: 22, user: "root" } },
    { jump: { host: "bastion", port: 22, user: "root", hostKey: "ssh-ed25519 CCCC" } },
  ];
  expect(new Set([one, ...others.map((more) => pool.get({ ...plain, ...more }))]).size).toBe(others.length + 1);
});

test("a stale pin neither closes nor shares the connection of the right one", async () => {
  const server = new InMemorySsh();
  const pool = server.pool();
  const good = pool.get(server.connection());
  await good.run("x", run);
  const stale = pool.get({ ...server.connection(), hostKey: new InMemorySsh().hostKey });
  await expect(stale.run("x", run)).rejects.toThrow(HostKeyError);
  await good.run("x", run);
  expect(pool.get(server.connection())).toBe(good);
  pool.closeAll();
  expect(server.connections).toBe(2);
});

test("a pinned connection shares the one that was opened without a pin and met that key", async () => {
  const server = new InMemorySsh();
  const pool = server.pool();
  const { hostKey: _, ...unpinned } = server.connection();
  const first = pool.trust(unpinned);
  expect(await first.hostKey(signal)).toBe(server.hostKey);
  expect(pool.get(server.connection())).toBe(first);
  expect(pool.get({ ...server.connection(), hostKey: new InMemorySsh().hostKey })).not.toBe(first);
  pool.closeAll();
});

test("a connection that met a key is bound to it", async () => {
  const server = new InMemorySsh();
  const pool = server.pool();
  const { hostKey: _, ...unpinned } = server.connection();
  const machine = pool.trust(unpinned);
  await machine.run("x", run);
  server.changeHostKey();
  server.dropAll();
  await expect.poll(() => server.clients.size).toBe(0);
  await expect(machine.run("x", run)).rejects.toThrow(HostKeyError);
  pool.closeAll();
});

/** A pool on which every attempt to connect fails. */
function failingPool(kind: ConnectionError["kind"], step = 20_000) {
  let now = 0;
  let attempts = 0;
  const pool = new Connections(DEFAULT_SETTINGS, {
    clock: { now: () => now },
    dialer: (connection) => {
      attempts++;
      now += step;
      return Promise.reject(new ConnectionError(connection, "no", kind));
    },
  });
  return { pool, attempts: () => attempts, pass: (milliseconds: number) => (now += milliseconds) };
}

const dead = { name: "worker-9", host: "10.0.0.9", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };

test("a machine that does not answer is retried for 45 s, and later resources try once", async () => {
  const { pool, attempts, pass } = failingPool("transient");
  await expect(pool.get(dead).run("x", run)).rejects.toThrow("worker-9 (10.0.0.9): no");
  expect(attempts()).toBe(3);
  await expect(pool.get(dead).run("x", run)).rejects.toThrow(ConnectionError);
  expect(attempts()).toBe(4);
  pass(120_000);
  await expect(pool.get(dead).run("x", run)).rejects.toThrow(ConnectionError);
  expect(attempts()).toBe(7);
});

test("a refused login is attempted once for all resources, and again in the next run", async () => {
  const { pool, attempts } = failingPool("refused", 0);
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => pool.get(dead).run("x", run)));
  expect(all.every(({ status }) => status === "rejected")).toBe(true);
  await expect(pool.get(dead).run("x", run)).rejects.toThrow(ConnectionError);
  expect(attempts()).toBe(1);
  pool.forgetFailures();
  await expect(pool.get(dead).run("x", run)).rejects.toThrow(ConnectionError);
  expect(attempts()).toBe(2);
});

test("a new machine gets the time that it needs to boot", async () => {
  const { pool, attempts } = failingPool("transient");
  const machine = pool.get(dead);
  machine.waitAtLeast(65);
  await expect(machine.run("x", run)).rejects.toThrow(ConnectionError);
  expect(attempts()).toBe(4);
});

test("a connection that is being opened is given up when no caller waits any more", async () => {
  const stops: AbortSignal[] = [];
  const pool = new Connections(DEFAULT_SETTINGS, {
    dialer: (_connection, _runtime, stop) => (
      stops.push(stop),
      new Promise((_, reject) => stop.addEventListener("abort", () => reject(stop.reason as Error)))
    ),
  });
  const [one, other] = [new AbortController(), new AbortController()];
  const machine = pool.get(dead);
  const waiting = [one, other].map(({ signal: own }) => machine.run("x", { step: "a test", signal: own }));
  const ends = Promise.allSettled(waiting);
  await expect.poll(() => stops.length).toBe(1);
  one.abort(new Error("first"));
  await expect(waiting[0]).rejects.toThrow("first");
  expect(stops[0]?.aborted).toBe(false);
  other.abort(new Error("second"));
  await ends;
  expect(stops[0]?.aborted).toBe(true);
});

test("a connection that was lost before it could be used is opened again", async () => {
  const server = new InMemorySsh();
  const pool = server.pool({}, undefined, async (dialed) => {
    if (server.connections > 1) return;
    server.dropAll();
    await expect.poll(() => dialed.isOpen).toBe(false);
  });
  await pool.get(server.connection()).run("x", run);
  pool.closeAll();
  expect(server.connections).toBe(2);
});
