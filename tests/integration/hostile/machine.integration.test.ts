import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ServerChannel } from "ssh2";
import { readContents, inspectFiles } from "../../../provider/host/files";
import { readFacts } from "../../../provider/host/facts";
import { LONGEST_OUTPUT } from "../../../provider/ssh/channel";
import type { Remote } from "../../../provider/ssh/remote";
import { Connections } from "../../../provider/ssh/connections";
import { type Answering, BEGAN, type Emulator, startEmulator } from "../../support/ssh-emulator";

/**
 * A machine with hostile answers. Its output must not fill the memory, delay the run, or reach a terminal unfiltered.
 */
const { signal } = new AbortController();
let emulator: Emulator;
let machine: Remote;
let answer: Answering;

beforeEach(async () => {
  emulator = await startEmulator({ hosts: 1, answer: (...given) => answer(...given) });
  machine = new Connections().get(emulator.connection(0));
});
afterEach(async () => {
  machine.close();
  await emulator.stop();
});

const say = (more = {}) => machine.run("anything", { step: "a test", signal, ...more });

function end(channel: ServerChannel, code: number): void {
  channel.exit(code);
  channel.end();
}

/** Writes as long as the other side reads. */
function flood(
  stream: { write(data: Buffer): boolean; once(event: "drain", go: () => void): unknown },
  data: Buffer,
  stopped: () => boolean,
): void {
  const go = (): void => {
    while (!stopped() && stream.write(data));
    if (!stopped()) stream.once("drain", go);
  };
  go();
}

describe("endless output", () => {
  const kinds = {
    lines: Buffer.from("line after line\n".repeat(4096)),
    "one line": Buffer.alloc(65_536, "x"),
    binary: Buffer.alloc(65_536, 0xff),
  };

  test.each(Object.entries(kinds))("on stdout, %s, is cut at the limit, and so is the memory", async (_, data) => {
    answer = (channel) => flood(channel, data, () => channel.destroyed || !channel.writable);
    const before = process.memoryUsage().rss;
    await expect(say()).rejects.toThrow(/a test failed on host-0 .*printed more than 16 MiB/);
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * LONGEST_OUTPUT);
  });

  test("on stderr is cut too, read line by line", async () => {
    let longest = 0;
    answer = (channel) => (
      channel.stderr.write(BEGAN),
      flood(channel.stderr, kinds["one line"], () => channel.destroyed || !channel.writable)
    );
    await expect(say({ onLine: (line: string) => (longest = Math.max(longest, line.length)) })).rejects.toThrow(
      /more than 16 MiB/,
    );
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(256 << 10);
  });

  test("endless slow output ends at the deadline, even if the machine never reported a process to kill", async () => {
    answer = (channel) => {
      const timer = setInterval(() => (channel.writable ? channel.write(".") : clearInterval(timer)), 5);
    };
    await expect(say({ timeout: 0.3 })).rejects.toThrow(/a test failed on host-0 .*not finished within 0.3 s/);
  });

  test("silence ends at the deadline, even if the machine never accepted the command", async () => {
    answer = () => undefined;
    await expect(say({ timeout: 0.2 })).rejects.toThrow(/not finished within 0.2 s/);
  });

  test("an abort takes effect immediately on a machine that ignores it", async () => {
    const stop = new AbortController();
    answer = (channel) => (channel.write("up\n"), stop.abort(new Error("stopped")));
    await expect(machine.run("anything", { step: "a test", signal: stop.signal })).rejects.toThrow("stopped");
  });
});

describe("output with colors and terminal control sequences", () => {
  const NASTY =
    "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2J\u001b[1;1H \u0007\u0008\u009b31m \u202egnp.exe " +
    "<{%fg 1%}>loud<{%reset%}> \r overwritten";

  test("is filtered in errors", async () => {
    answer = (channel) => (channel.stderr.write(`${BEGAN}${NASTY}`), end(channel, 1));
    const error = await say().catch((reason: Error) => reason);
    const message = (error as Error).message;
    expect(message).toMatch(/red .*< \{%fg 1%\}>loud[^]*overwritten/);
    expect(message).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|<\{%/);
  });

  test("is filtered in facts, which are stored in the state; the size of facts is limited", async () => {
    const facts = {
      arch: "x86_64",
      hostname: NASTY,
      os_version: "9".repeat(1 << 20),
      machine_id: "a".repeat(1000),
      cpus: "1e999",
      ports: "22 99999 x -1 6443",
      addresses: "10.0.0.1 ".repeat(50_000),
    };
    answer = (channel) => (
      channel.stderr.write(BEGAN),
      channel.write(
        Object.entries(facts)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(""),
      ),
      end(channel, 0)
    );
    const found = await readFacts(machine, signal);
    expect(found.hostname).not.toMatch(/[\x00-\x1f\x7f-\x9f]|<\{%/);
    expect(JSON.stringify(found).length).toBeLessThan(20_000);
    expect(found.cpus).toBe(0);
    expect(found.listeningPorts).toEqual([22, 6443]);
  });
});

describe("answers in a wrong format", () => {
  test("ignores files that it did not ask for, and invalid hashes", async () => {
    answer = (channel) => (
      channel.stderr.write(BEGAN),
      channel.write(`644 ${"a".repeat(64)} /asked\n644 ${"b".repeat(64)} /invented\n999999 x /asked2\n`),
      end(channel, 0)
    );
    const found = await inspectFiles(machine, ["/asked", "/asked2"], signal);
    expect([...found.keys()]).toEqual(["/asked"]);
    expect((await readContents(machine, ["/x"], signal)).size).toBe(0);
  });

  test("does not kill an invalid process group, which could be a command or every process", async () => {
    const heard: string[] = [];
    for (const group of ["1", "7; touch /tmp/owned", "-1", ""]) {
      answer = (channel, script) =>
        void (heard.push(script), channel.stderr.write(`process-group ${group}\nsays something\n`));
      await expect(say({ timeout: 0.1 })).rejects.toThrow(/not finished/);
    }
    expect(heard).toEqual(["anything", "anything", "anything", "anything"]);
  });

  test("ignores the login shell's warnings, and kills the process group that follows them", async () => {
    const heard: string[] = [];
    answer = (channel, script) =>
      void (
        heard.push(script),
        channel.stderr.write("bash: warning: setlocale\n"),
        setTimeout(() => channel.stderr.write(`${BEGAN}real\n`), 20)
      );
    await expect(say({ timeout: 0.2 })).rejects.toThrow(/not finished/);
    await expect.poll(() => heard).toEqual(["anything", "kill -TERM -4711"]);
    answer = (channel) => (channel.stderr.write(`bash: warning: setlocale\n${BEGAN}real\n`), end(channel, 1));
    await expect(say()).rejects.toThrow(/failed on host-0 .*: real$/);
  });

  test("treats a channel that closes without an exit code as a lost connection, and retries a few times", async () => {
    let times = 0;
    answer = (channel) => (times++, channel.end());
    await expect(say()).rejects.toThrow(/the connection was lost/);
    expect(times).toBeLessThan(6);
  }, 30_000);
});
