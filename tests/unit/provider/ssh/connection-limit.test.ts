import { expect, test } from "vitest";
import { ConnectionLimit, type LimitedConnection } from "../../../../provider/ssh/connection-limit";

const { signal } = new AbortController();

class Guest implements LimitedConnection {
  idle = true;
  closed = 0;
  close(): void {
    this.closed++;
  }
}

test("who comes when all places are taken gets that of the one that has been idle for longest", async () => {
  const places = new ConnectionLimit(() => 2);
  const [first, second, third] = [new Guest(), new Guest(), new Guest()];
  await places.acquire(first, signal);
  await places.acquire(second, signal);
  places.markUsed(first); // it has just worked
  await places.acquire(third, signal);
  expect([first.closed, second.closed, places.openCount]).toEqual([0, 1, 2]);
});

test("who works keeps its place: the next one waits for a rest or a leave, or stops waiting", async () => {
  const places = new ConnectionLimit(() => 1);
  const [busy, next, late] = [new Guest(), new Guest(), new Guest()];
  busy.idle = false;
  await places.acquire(busy, signal);
  const stop = new AbortController();
  const given = places.acquire(late, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(given).rejects.toThrow("stopped");
  const waiting = places.acquire(next, signal);
  busy.idle = true;
  places.markUsed(busy);
  await waiting;
  expect([busy.closed, places.openCount]).toEqual([1, 1]);
  places.release(next);
  expect(places.openCount).toBe(0);
});
