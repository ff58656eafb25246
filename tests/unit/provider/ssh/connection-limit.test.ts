import { expect, test } from "vitest";
import { Places, type Tenant } from "../../../../provider/ssh/connection-limit";

const { signal } = new AbortController();

class Guest implements Tenant {
  idle = true;
  closed = 0;
  close(): void {
    this.closed++;
  }
}

test("who comes when all places are taken gets that of the one that has been idle for longest", async () => {
  const places = new Places(() => 2);
  const [first, second, third] = [new Guest(), new Guest(), new Guest()];
  await places.take(first, signal);
  await places.take(second, signal);
  places.rested(first); // it has just worked
  await places.take(third, signal);
  expect([first.closed, second.closed, places.taken]).toEqual([0, 1, 2]);
});

test("who works keeps its place: the next one waits for a rest or a leave, or stops waiting", async () => {
  const places = new Places(() => 1);
  const [busy, next, late] = [new Guest(), new Guest(), new Guest()];
  busy.idle = false;
  await places.take(busy, signal);
  const stop = new AbortController();
  const given = places.take(late, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(given).rejects.toThrow("stopped");
  const waiting = places.take(next, signal);
  busy.idle = true;
  places.rested(busy);
  await waiting;
  expect([busy.closed, places.taken]).toEqual([1, 1]);
  places.leave(next);
  expect(places.taken).toBe(0);
});
