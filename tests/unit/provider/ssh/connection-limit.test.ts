import { expect, test } from "vitest";
import { ConnectionLimit, type LimitedConnection } from "../../../../provider/ssh/connection-limit";

const { signal } = new AbortController();

class FakeConnection implements LimitedConnection {
  idle = true;
  closed = 0;
  close(): void {
    this.closed++;
  }
}

test("at the limit, the connection that has been idle for longest is closed", async () => {
  const limit = new ConnectionLimit(() => 2);
  const [first, second, third] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  await limit.acquire(first, signal);
  await limit.acquire(second, signal);
  limit.markUsed(first); // it was used last
  await limit.acquire(third, signal);
  expect([first.closed, second.closed, limit.openCount]).toEqual([0, 1, 2]);
});

test("a connection in use keeps its slot: another waits until it is idle or closed, or is aborted", async () => {
  const limit = new ConnectionLimit(() => 1);
  const [busy, next, late] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  busy.idle = false;
  await limit.acquire(busy, signal);
  const stop = new AbortController();
  const aborted = limit.acquire(late, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(aborted).rejects.toThrow("stopped");
  const waiting = limit.acquire(next, signal);
  busy.idle = true;
  limit.markUsed(busy);
  await waiting;
  expect([busy.closed, limit.openCount]).toEqual([1, 1]);
  limit.release(next);
  expect(limit.openCount).toBe(0);
});
