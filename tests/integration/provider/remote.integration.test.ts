import { createReadStream, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fingerprint } from "../../../provider/ssh/host-key";
import type { Remote } from "../../../provider/ssh/remote";
import { Connections } from "../../../provider/ssh/connections";
import { startSshd, type Sshd } from "../../support/sshd";

const { signal } = new AbortController();
let sshd: Sshd;
let machine: Remote;

beforeEach(async () => {
  sshd = await startSshd();
  machine = new Connections().get(sshd.connection());
}, 60_000);

afterEach(async () => {
  machine.close();
  await sshd.stop();
});

const say = (script: string, more = {}) => machine.run(script, { step: "a test", signal, ...more });

test("sends many parallel commands over one connection", async () => {
  const results = await Promise.all(Array.from({ length: 40 }, (_, index) => say(`echo ${index}`)));
  expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
  expect(await sshd.logins()).toBe(1);
});

test("an error names the machine, the step, the cause and the next action", async () => {
  const failing = say("echo 'time=now level=warning msg=old' >&2; echo no room left >&2; exit 3", {
    step: "writing files",
    action: "free some space",
  });
  await expect(failing).rejects.toThrow(
    `writing files failed on sshd (127.0.0.1:${sshd.port}): no room left; free some space`,
  );
});

test("an exit code that is an answer is not an error", async () => {
  expect((await say("exit 3", { accept: [0, 3] })).code).toBe(3);
});

test("sends all of stdin, as text and as a stream of several megabytes", async () => {
  expect((await say("cat", { stdin: "hush" })).stdout).toBe("hush");
  const path = join(sshd.folder, "big");
  await writeFile(path, Buffer.alloc(8 << 20, "x"));
  expect((await say("wc -c", { stdin: () => createReadStream(path) })).stdout.trim()).toBe(String(8 << 20));
});

test("reports lines as they arrive", async () => {
  const lines: string[] = [];
  await say("echo one; echo two >&2; echo three", { onLine: (line: string) => lines.push(line) });
  expect(lines.sort()).toEqual(["one", "three", "two"]);
});

test("reconnects after a dropped connection, and repeats the command", async () => {
  const count = join(sshd.folder, "count");
  const slow = say(`echo x >> ${count}; [ $(wc -l < ${count}) -gt 1 ] && exit 0; echo started; sleep 60`, {
    onLine: (line: string) => line === "started" && void sshd.dropConnections(),
  });
  await slow;
  expect((await say(`wc -l < ${count}`)).stdout.trim()).toBe("2");
}, 30_000);

test("waits for a server that restarts", async () => {
  await say("true");
  await sshd.down();
  const waiting = say("echo back");
  await sshd.listen();
  expect((await waiting).stdout).toBe("back\n");
}, 30_000);

test("refuses a host key that differs from the pinned one, with both fingerprints and what to do", async () => {
  const pinned = sshd.connection();
  await sshd.changeHostKey();
  const other = new Connections().get(pinned);
  const both = [fingerprint(sshd.hostKey), fingerprint(pinned.hostKey)];
  const message = await other.run("true", { step: "a test", signal }).catch((error: Error) => error.message);
  for (const one of both) expect(message).toContain(one);
  await expect(other.run("true", { step: "a test", signal })).rejects.toThrow(
    /the host key .* is not the pinned one .*recovery.acceptHostKeys/,
  );
});

test("without a pin, reports the first key", async () => {
  const { hostKey: _, ...unpinned } = sshd.connection();
  const other = new Connections().get(unpinned);
  expect(await other.hostKey(signal)).toBe(sshd.hostKey.split(" ").slice(0, 2).join(" "));
  other.close();
});

test("reports a refused key immediately, without a retry", async () => {
  await sshd.acceptKey(false);
  await expect(say("true")).rejects.toThrow(/rejects the key of user .*authorized_keys/);
});

test("names the path of a missing key file", async () => {
  const other = new Connections().get({ ...sshd.connection(), privateKeyPath: "/nowhere/key" });
  await expect(other.run("true", { step: "a test", signal })).rejects.toThrow("/nowhere/key");
});

test("an abort ends an endless command, here and on the machine", async () => {
  const abort = new AbortController();
  const pid = join(sshd.folder, "pid");
  const running = machine.run(`echo $$ > ${pid}; echo up; exec sleep 600`, {
    step: "a test",
    signal: abort.signal,
    onLine: () => abort.abort(new Error("stopped")),
  });
  await expect(running).rejects.toThrow("stopped");
  const gone = `for i in $(seq 100); do kill -0 $(cat ${pid}) 2>/dev/null || exit 0; sleep 0.05; done; exit 1`;
  await say(gone);
});

test("a local stream that fails ends the command on the machine, which waits for the rest of its input", async () => {
  const pid = join(sshd.folder, "pid");
  const stdin = () =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(1 << 20);
        await expect.poll(() => existsSync(pid)).toBe(true);
        throw new Error("the file is gone");
      })(),
    );
  const unpacking = say(`echo $$ > ${pid}; exec tar --ignore-zeros -x -C ${sshd.folder}`, { stdin });
  await expect(unpacking).rejects.toThrow("the file is gone");
  await say(`for i in $(seq 100); do kill -0 $(cat ${pid}) 2>/dev/null || exit 0; sleep 0.05; done; exit 1`);
});

test("reports a step that exceeds its deadline", async () => {
  await expect(say("sleep 600", { step: "kubeadm init", timeout: 0.3 })).rejects.toThrow(
    /kubeadm init failed on sshd .*not finished within 0.3 s/,
  );
});
