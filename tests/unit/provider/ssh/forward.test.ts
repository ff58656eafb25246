import { setImmediate as tick } from "node:timers/promises";
import type { ServerChannel } from "ssh2";
import { expect, test } from "vitest";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();

test("a stream is opened again if the connection is lost before it is open", async () => {
  const server = new InMemorySsh();
  server.behavior.forward = (accept) => {
    if (server.connections === 1) server.dropAll();
    else accept().end("hello");
  };
  const pool = server.pool();
  const stream = await pool.get(server.connection()).forward("127.0.0.1", 6443, signal);
  let received = "";
  for await (const data of stream) received += String(data);
  pool.closeAll();
  expect([received, server.connections]).toEqual(["hello", 2]);
});

test("an address that refuses is not tried again, and the error names it", async () => {
  let attempts = 0;
  const server = new InMemorySsh({ forward: (_accept, reject) => (attempts++, reject()) });
  const pool = server.pool();
  const opening = pool.get(server.connection()).forward("127.0.0.1", 6443, signal);
  await expect(opening).rejects.toThrow(ConnectionError);
  await expect(opening).rejects.toThrow("worker-1 (10.0.0.11)");
  pool.closeAll();
  expect([attempts, server.connections]).toEqual([1, 1]);
});

test("a stream that opens after its caller has given up is closed", async () => {
  let open: (() => ServerChannel) | undefined;
  const server = new InMemorySsh({ forward: (accept) => (open = accept) });
  const pool = server.pool();
  const stop = new AbortController();
  const opening = pool.get(server.connection()).forward("127.0.0.1", 6443, stop.signal);
  await expect.poll(() => open).toBeDefined();
  stop.abort(new Error("stopped"));
  await expect(opening).rejects.toThrow("stopped");
  const channel = open?.();
  const closed = new Promise((resolve) => channel?.on("close", resolve).resume());
  await closed;
  pool.closeAll();
});

test("a stream that is not read does not keep its connection in use after the connection is lost", async () => {
  const server = new InMemorySsh({ forward: (accept) => void accept().write("unread") });
  const pool = server.pool({ connectionLimit: 1 });
  await pool.get(server.connection()).forward("127.0.0.1", 6443, signal);
  server.dropAll();
  await expect.poll(() => server.clients.size).toBe(0);
  await tick();
  const other = { ...server.connection(), user: "admin" };
  await pool.get(server.connection()).run("x", { step: "a test", signal });
  await pool.get(other).run("x", { step: "a test", signal: AbortSignal.timeout(2_000) });
  pool.closeAll();
});
