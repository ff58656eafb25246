import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { RootError } from "../../../../provider/ssh/errors";
import { answer, InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const step = "a test";

test("runs a script, and returns its exit code and output", async () => {
  const server = new InMemorySsh({ run: (channel) => answer(channel, "hello\n", 3) });
  const pool = server.pool();
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  const result = await pool.get(server.connection()).run("x", { step, signal, accept: [0, 3], onLine });
  pool.closeAll();
  expect(result).toMatchObject({ code: 3, stdout: "hello\n" });
  expect(lines).toEqual(["hello"]);
});

test("a failure names the step, the machine, the cause and the next action", async () => {
  const server = new InMemorySsh({ run: (channel) => answer(channel, "no room left\n", 1) });
  const pool = server.pool();
  const failing = pool.get(server.connection()).run("x", { step: "writing files", signal, action: "free some space" });
  await expect(failing).rejects.toThrow("writing files failed on worker-1 (10.0.0.11): no room left; free some space");
  pool.closeAll();
});

test("many scripts share one connection", async () => {
  const server = new InMemorySsh();
  const pool = server.pool();
  const machine = pool.get(server.connection());
  await Promise.all(Array.from({ length: 30 }, () => machine.run("x", { step, signal })));
  pool.closeAll();
  expect(server.connections).toBe(1);
});

test("a connection that is lost is opened again, and the script runs again", async () => {
  let runs = 0;
  const server = new InMemorySsh({
    run: (channel, _command, client) => (++runs === 1 ? client.end() : answer(channel, "done")),
  });
  const pool = server.pool();
  expect((await pool.get(server.connection()).run("x", { step, signal })).stdout).toBe("done");
  pool.closeAll();
  expect([runs, server.connections]).toEqual([2, 2]);
});

test("a wrong sudo password is sent once for reads in parallel", async () => {
  const sent: string[] = [];
  const server = new InMemorySsh({
    run: (channel) => {
      let prompts = 0;
      const prompt = () => channel.stderr.write("kubewright: sudo wants the password\n");
      prompt();
      channel.on("data", (data: Buffer) => {
        sent.push(data.toString());
        channel.stderr.write("Sorry, try again.\n");
        if (++prompts < 3) prompt();
      });
      channel.on("end", () => {
        channel.stderr.write("sudo: 1 incorrect password attempt\n");
        channel.exit(1);
        channel.end();
      });
    },
  });
  const pool = server.pool();
  const machine = pool.get({ ...server.connection(), user: "admin", sudoPassword: "wrong" });
  const reads = await Promise.allSettled([1, 2, 3].map((one) => machine.read(`echo ${one}`, { step, signal })));
  pool.closeAll();
  expect(sent).toEqual(["wrong\n"]);
  for (const read of reads) {
    expect(read).toMatchObject({ status: "rejected" });
    expect((read as PromiseRejectedResult).reason).toBeInstanceOf(RootError);
  }
});

test("a local stream that fails stops the command and reports the stream's error", async () => {
  const commands: string[] = [];
  const server = new InMemorySsh({
    run: (channel, command) => {
      commands.push(command);
      if (command.includes("kill -TERM")) answer(channel, "");
      else channel.stderr.write("process-group 4711\n");
    },
  });
  const pool = server.pool();
  const stdin = () => new Readable({ read: () => undefined }).destroy(new Error("the file is gone"));
  await expect(pool.get(server.connection()).run("tar -x", { step, signal, stdin })).rejects.toThrow(
    "the file is gone",
  );
  await expect.poll(() => commands.some((command) => command.includes("kill -TERM -4711"))).toBe(true);
  pool.closeAll();
});

test("a command that does not end within its timeout is stopped", async () => {
  const commands: string[] = [];
  const server = new InMemorySsh({
    run: (channel, command) => {
      commands.push(command);
      if (command.includes("kill -TERM -4711")) answer(channel, "");
      else channel.stderr.write("process-group 4711\n");
    },
  });
  const pool = server.pool();
  const running = pool.get(server.connection()).run("sleep 600", { step: "kubeadm init", signal, timeout: 0.1 });
  await expect(running).rejects.toThrow("kubeadm init failed on worker-1 (10.0.0.11): not finished within 0.1 s");
  await expect.poll(() => commands.some((command) => command.includes("kill -TERM -4711"))).toBe(true);
  pool.closeAll();
});

test("patience multiplies the timeout", async () => {
  const server = new InMemorySsh({ run: (channel) => void channel.stderr.write("process-group 4711\n") });
  const pool = server.pool({ patience: 2 });
  const running = pool.get(server.connection()).run("sleep 600", { step, signal, timeout: 0.05 });
  await expect(running).rejects.toThrow("not finished within 0.1 s");
  pool.closeAll();
});

test("the machine-id is read once, and one caller's abort does not fail the others", async () => {
  let reads = 0;
  const server = new InMemorySsh({ run: (channel) => (reads++, setTimeout(() => answer(channel, "a1b2\n"), 30)) });
  const pool = server.pool();
  const machine = pool.get(server.connection());
  const stop = new AbortController();
  const first = machine.machineId(stop.signal);
  const second = machine.machineId(signal);
  stop.abort(new Error("timed out"));
  await expect(first).rejects.toThrow("timed out");
  expect(await second).toBe("a1b2");
  expect(await machine.machineId(signal)).toBe("a1b2");
  pool.closeAll();
  expect(reads).toBe(1);
});

test("the machine-id is read again after the connection was lost: another machine may answer", async () => {
  const ids = ["a1\n", "b2\n"];
  const server = new InMemorySsh({ run: (channel) => answer(channel, ids.shift() ?? "") });
  const pool = server.pool();
  const machine = pool.get(server.connection());
  expect(await machine.machineId(signal)).toBe("a1");
  server.dropAll();
  await expect.poll(() => server.clients.size).toBe(0);
  expect(await machine.machineId(signal)).toBe("b2");
  pool.closeAll();
});

test("a command that prints too much is stopped", async () => {
  const chunk = Buffer.alloc(1 << 20, "x");
  const server = new InMemorySsh({
    run: (channel, command) => {
      if (command.includes("kill -TERM")) return answer(channel, "");
      channel.stderr.write("process-group 4711\n");
      for (let one = 0; one < 17; one++) channel.write(chunk);
    },
  });
  const pool = server.pool();
  await expect(pool.get(server.connection()).run("yes", { step, signal })).rejects.toThrow("more than 16 MiB");
  pool.closeAll();
});

test("a timeout that is longer than a timer can wait does not stop the command", async () => {
  const server = new InMemorySsh();
  const pool = server.pool();
  const running = pool.get(server.connection()).run("x", { step, signal, timeout: 30 * 86_400 });
  await expect(running).resolves.toMatchObject({ code: 0 });
  pool.closeAll();
});

test("output that is cut off by a lost connection is not a result, even if the exit code has arrived", async () => {
  let runs = 0;
  const server = new InMemorySsh({
    run: (channel, _command, client) => {
      if (++runs === 2) return answer(channel, "all of it");
      channel.stderr.write("process-group 4711\n");
      channel.write("half of");
      channel.exit(0);
      client.end();
    },
  });
  const pool = server.pool();
  expect((await pool.get(server.connection()).run("x", { step, signal })).stdout).toBe("all of it");
  pool.closeAll();
});

test("a function of the caller that throws fails its command, and not the connection of the others", async () => {
  const server = new InMemorySsh({
    run: (channel, command) => {
      if (command.includes("kill -TERM")) return answer(channel, "");
      if (command.includes("slow")) return void setTimeout(() => answer(channel, ""), 60);
      channel.stderr.write("process-group 4711\n");
      channel.write("a line\n");
    },
  });
  const pool = server.pool();
  const machine = pool.get(server.connection());
  const fail = () => {
    throw new Error("a mistake");
  };
  const other = machine.run("slow", { step, signal });
  await expect(machine.run("first", { step, signal, onLine: fail })).rejects.toThrow("a mistake");
  await expect(machine.run("second", { step, signal, stdin: fail })).rejects.toThrow("a mistake");
  await other;
  pool.closeAll();
  expect(server.connections).toBe(1);
});

test("an adoption runs only scripts that change nothing", async () => {
  const server = new InMemorySsh({ run: (channel) => answer(channel, "ok") });
  const pool = server.pool({ adopting: true });
  const machine = pool.get(server.connection());
  await expect(machine.run("x", { step: "writing files", signal })).rejects.toThrow(
    "writing files failed on worker-1 (10.0.0.11): an adoption changes nothing on machines",
  );
  expect(server.connections).toBe(0);
  expect((await machine.run("x", { step, signal, isReadOnly: true })).stdout).toBe("ok");
  pool.closeAll();
});
