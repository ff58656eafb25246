import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { removeStack } from "../../../provider/docker/remove-stack";
import type { Connection } from "../../../contracts/connection";
import type { RunOptions } from "../../../provider/ssh/remote";
import { context, docker, dockerIsMissing, handler, makeKeys, type Keys, type Made } from "../docker/support";
import { silentContext } from "../../support/context";

/** Users who are not root, on a machine of their own with the distribution's sshd, PAM and sudo. */
const STACK = `sudo-${process.pid}`;
const PASSWORD = `it's "quoted" $(x) ${randomBytes(6).toString("hex")}`;
const { signal } = new AbortController();
let missing: string | undefined;
let keys: Keys;
let machine: Made;

beforeAll(async () => {
  missing = await dockerIsMissing();
  if (missing && process.env.CI) throw new Error(missing);
  if (missing) return;
  keys = await makeKeys();
  const image = await handler("Image").create(context("image"), {});
  const network = await handler("Network").create(context("network"), { stack: STACK });
  const inputs = {
    stack: STACK,
    hostname: "sudo",
    index: 1,
    image: image.outputs.ref,
    network: network.outputs.networkName,
    authorizedKey: keys.publicKey,
    running: true,
  };
  machine = await handler("Machine").create(context("sudo"), inputs);
  await people();
}, 300_000);
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(async () => {
  if (missing) return;
  silentContext.connections.closeAll();
  await removeStack(STACK, signal);
  await keys.remove();
}, 60_000);

/** `asked` must give sudo a password, `visitor` may not use sudo at all; `admin`, who need not, is in the image. */
async function people(): Promise<void> {
  const script = [
    "set -e",
    "useradd -m -s /bin/bash asked; useradd -m -s /bin/bash visitor",
    "printf '%s' \"$LOGINS\" | chpasswd",
    "echo 'asked ALL=(ALL) ALL' > /etc/sudoers.d/asked",
    "printf 'PasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/00-passwords.conf",
    "systemctl reload ssh",
  ].join("\n");
  await docker(
    "exec",
    "--env",
    `LOGINS=asked:${PASSWORD}\nvisitor:${PASSWORD}\nadmin:${PASSWORD}\n`,
    machine.id,
    "sh",
    "-c",
    script,
  );
}

function as(user: string, more: Partial<Connection> = {}): Connection {
  const { address, port, hostKey } = machine.outputs;
  return {
    name: "sudo",
    host: String(address),
    port: Number(port),
    hostKey: String(hostKey),
    user,
    privateKeyPath: keys.path,
    ...more,
  };
}
const say = async (connection: Connection, script: string, more: Partial<RunOptions> = {}) =>
  (await silentContext.connections.get(connection).run(script, { step: "a test", signal, ...more })).stdout;

test("sudo without a password", async () => {
  expect(await say(as("admin"), "id -u")).toBe("0\n");
});

test("sudo with a password, many parallel commands, each with its exit code", async () => {
  const codes = [0, 3, 7, 0, 1, 2, 5, 0];
  const results = await Promise.all(
    codes.map((code) =>
      silentContext.connections.get(as("asked", { sudoPassword: PASSWORD })).run(`id -u; exit ${code}`, {
        step: "a test",
        signal,
        accept: codes,
      }),
    ),
  );
  expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(codes.map((code) => [code, "0\n"]));
});

test.each([
  ["a user whom sudo asks", "asked"],
  ["a user whom sudo does not ask, although a password was given", "admin"],
])("stdin reaches a command unchanged and without the password: %s", async (_, user) => {
  const sent = randomBytes(2 << 20).toString("base64");
  expect(await say(as(user, { sudoPassword: PASSWORD }), "cat", { stdin: sent })).toBe(sent);
  expect(await say(as(user, { sudoPassword: PASSWORD }), "cat")).toBe("");
});

test("the password is in no command line and no log", async () => {
  const look =
    "for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\\0' ' ' < $file; echo; done 2>/dev/null; " +
    "journalctl --no-pager";
  const seen = await say(as("asked", { sudoPassword: PASSWORD }), look);
  expect(seen).toContain("sudo -S -k");
  expect(seen).toMatch(/sudo.*COMMAND=/);
  expect(seen).not.toContain(PASSWORD.slice(-12));
});

test("tries a wrong password once, and reports it", async () => {
  await expect(say(as("asked", { sudoPassword: "wrong" }), "true", { accept: [0, 1] })).rejects.toThrow(
    /a test failed on sudo .*: sudo rejects the password of asked; set sudoPassword to the password of asked/,
  );
  expect(
    (await docker("exec", machine.id, "journalctl", "--no-pager", "-t", "sudo")).split("1 incorrect password attempt")
      .length - 1,
  ).toBe(1);
});

test("reports a missing password and a user without sudo, and not as the command's own failure", async () => {
  await expect(say(as("asked"), "true", { accept: [0, 1] })).rejects.toThrow(
    /a password is required; allow asked to use sudo without a password, or set sudoPassword/,
  );
  await expect(say(as("visitor", { sudoPassword: PASSWORD }), "true", { accept: [0, 1] })).rejects.toThrow(
    /visitor is not in the sudoers file/,
  );
});

test.each([
  ["without a password", "admin", undefined],
  ["with a password", "asked", PASSWORD],
])("an abort ends a command under sudo %s", async (_, user, sudoPassword) => {
  const abort = new AbortController();
  const connection = as(user, sudoPassword === undefined ? {} : { sudoPassword });
  const script = `echo $$ > /tmp/pid-${user}; echo up; sleep 600`;
  await expect(
    say(connection, script, { signal: abort.signal, onLine: () => abort.abort(new Error("stopped")) }),
  ).rejects.toThrow("stopped");
  await say(
    connection,
    `for i in $(seq 100); do kill -0 $(cat /tmp/pid-${user}) 2>/dev/null || exit 0; sleep 0.05; done; exit 1`,
  );
});

test("logs in with a password, and refuses a wrong one", async () => {
  const { privateKeyPath: _, ...keyless } = as("asked");
  expect(await say({ ...keyless, password: PASSWORD, sudoPassword: PASSWORD }, "id -u")).toBe("0\n");
  await expect(say({ ...keyless, password: "wrong" }, "true")).rejects.toThrow(/rejects the password of user asked/);
});

test("a user with sudo can open tunnels to the API", async () => {
  const channel = await silentContext.connections
    .get(as("asked", { sudoPassword: PASSWORD }))
    .forward("127.0.0.1", 22, signal);
  const greeting = await new Promise<string>((done) => channel.once("data", (data: Buffer) => done(data.toString())));
  channel.destroy();
  expect(greeting).toMatch(/^SSH-2.0/);
});
