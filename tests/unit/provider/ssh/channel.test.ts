import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { answer, InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const step = "a test";

/** A stream that stores slowly what it receives. */
function slowReceiver(received: Buffer[]): Writable {
  return new Writable({
    highWaterMark: 1 << 10,
    write: (data: Buffer, _encoding, done) => {
      received.push(data);
      void setImmediate().then(() => done());
    },
  });
}

test("a receiver gets stdout byte for byte, and has stored it when the result arrives", async () => {
  const bytes = randomBytes(1 << 20);
  const server = new InMemorySsh({
    run: (channel) => {
      channel.stderr.write("process-group 4711\nwarning\n");
      channel.write(bytes);
      channel.exit(0);
      channel.end();
    },
  });
  const pool = server.pool();
  const received: Buffer[] = [];
  const result = await pool
    .get(server.connection())
    .run("tar -c", { step, signal, stdout: () => slowReceiver(received) });
  pool.closeAll();
  expect(Buffer.concat(received).equals(bytes)).toBe(true);
  expect(result).toMatchObject({ code: 0, stdout: "", stderr: "warning\n" });
});

test("after a lost connection a new receiver gets everything from the beginning", async () => {
  let runs = 0;
  const server = new InMemorySsh({
    run: (channel, _command, client) => {
      if (++runs === 2) return answer(channel, "whole");
      channel.stderr.write("process-group 4711\n");
      channel.write("wh");
      setTimeout(() => client.end(), 10);
    },
  });
  const pool = server.pool();
  const receivers: Buffer[][] = [];
  const stdout = () => slowReceiver((receivers[receivers.length] = []));
  await pool.get(server.connection()).run("tar -c", { step, signal, stdout });
  pool.closeAll();
  expect(receivers.map((received) => Buffer.concat(received).toString())).toEqual(["wh", "whole"]);
});

test("a receiver that fails, on a full disk, stops the command and is the error", async () => {
  const commands: string[] = [];
  const server = new InMemorySsh({
    run: (channel, command) => {
      commands.push(command);
      if (command.includes("kill -TERM")) return answer(channel, "");
      channel.stderr.write("process-group 4711\n");
      channel.write("data");
    },
  });
  const pool = server.pool();
  const stdout = () => new Writable({ write: (_data, _encoding, done) => done(new Error("no space left on device")) });
  const running = pool.get(server.connection()).run("tar -c", { step, signal, stdout });
  await expect(running).rejects.toThrow("no space left on device");
  await expect.poll(() => commands.some((command) => command.includes("kill -TERM -4711"))).toBe(true);
  pool.closeAll();
});
