import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../common/wait";
import { output, run } from "../../common/process";
import { startSshd, type Sshd } from "../support/sshd";

let sshd: Sshd;
beforeAll(async () => (sshd = await startSshd({ environment: { KUBEWRIGHT_TEST: "a b" } })), 120_000);
afterAll(() => sshd.stop());

const ssh = (...command: string[]) => [
  ...["-i", sshd.privateKeyPath, "-p", String(sshd.port), "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"],
  ...["-o", `UserKnownHostsFile=${sshd.folder}/known_hosts`, `${sshd.user}@${sshd.host}`, ...command],
];
const pin = () => writeFile(`${sshd.folder}/known_hosts`, `[${sshd.host}]:${sshd.port} ${sshd.hostKey}\n`);
const loggedIn = (times: number) =>
  until(async () => ((await sshd.logins()) >= times ? true : undefined), {
    signal: AbortSignal.timeout(10_000),
    timeout: 10,
    every: 20,
    onTimeout: () => new Error("the client did not log in"),
  });

test("accepts the pinned key and runs commands with the given environment", async () => {
  await pin();
  expect(await output("ssh", ssh("printf '%s' \"$KUBEWRIGHT_TEST\""))).toBe("a b");
  expect(await sshd.logins()).toBe(1);
});

test("drops connections and continues to listen", async () => {
  await pin();
  const held = run("ssh", ssh("echo up; sleep 60"), { reject: false });
  await loggedIn(2);
  await sshd.dropConnections();
  expect((await held).exitCode).toBe(255);
  expect(await output("ssh", ssh("echo again"))).toBe("again");
});

test("refuses the key, presents another host key, and is down", async () => {
  await pin();
  await sshd.acceptKey(false);
  await expect(run("ssh", ssh("true"))).rejects.toThrow(/Permission denied/);
  await sshd.acceptKey(true);
  const before = sshd.hostKey;
  await sshd.changeHostKey();
  expect(sshd.hostKey).not.toBe(before);
  await expect(run("ssh", ssh("true"))).rejects.toThrow(/HOST IDENTIFICATION HAS CHANGED/);
  await pin();
  await sshd.down();
  await expect(run("ssh", ssh("true"))).rejects.toThrow(/Connection refused/);
  await sshd.listen();
  expect(await output("ssh", ssh("echo back"))).toBe("back");
});
