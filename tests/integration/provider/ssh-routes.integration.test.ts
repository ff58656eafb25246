import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { checkMachineGone } from "../../../provider/kube/dead-node";
import { hostResource } from "../../../provider/resources/host";
import type { Handler } from "../../../provider/rpc/handler";
import type { Contract } from "../../../contracts/contract";
import type { Connection } from "../../../contracts/connection";
import { JumpError } from "../../../provider/ssh/errors";
import { output, run } from "../../../common/process";
import { context } from "../docker/support";
import { startSshd, type Sshd } from "../../support/sshd";
import { silentContext } from "../../support/context";

/**
 * Jump hosts, agents and first pins, against real servers on loopback: two jump hosts, one that forwards nothing, and
 * the machine.
 */
const { signal } = new AbortController();
const host = hostResource as unknown as Required<
  Handler<Contract, { connection: Connection }, Record<string, unknown>>
>;
let machine: Sshd;
let near: Sshd;
let far: Sshd;
let closed: Sshd;

beforeAll(async () => {
  [machine, near, far, closed] = await Promise.all([
    startSshd({ name: "machine" }),
    startSshd({ name: "near" }),
    startSshd({ name: "far" }),
    startSshd({ name: "closed", config: ["AllowTcpForwarding no"] }),
  ]);
}, 120_000);
afterEach(() => {
  silentContext.connections.closeAll();
  vi.unstubAllEnvs();
});
afterAll(() => Promise.all([machine, near, far, closed].map((one) => one.stop())));

/** A server as a jump host, which has no name. */
function jump(sshd: Sshd, more: Partial<Connection> = {}): NonNullable<Connection["jump"]> {
  const { name: _, ...way } = sshd.connection();
  return { ...way, ...more };
}
const through = (sshd: Sshd, more: Partial<Connection> = {}): Connection => ({
  ...machine.connection(),
  ...more,
  jump: jump(sshd),
});
const say = async (connection: Connection, script = "echo here") =>
  (await silentContext.connections.get(connection).run(script, { step: "a test", signal })).stdout.trim();
const unpinned = <T extends { hostKey?: string | undefined }>({ hostKey: _, ...rest }: T) => rest;

test("reaches a machine behind a jump host with one connection to each, for any number of commands and names", async () => {
  const before = [await near.logins(), await machine.logins()];
  const names = Array.from({ length: 12 }, (_, index) => `name-${index % 3}`);
  expect(await Promise.all(names.map((name) => say(through(near, { name }))))).toEqual(names.map(() => "here"));
  expect([await near.logins(), await machine.logins()]).toEqual(before.map((count) => count + 1));
});

test("a chain of jump hosts, each with its own pin", async () => {
  const logins = await far.logins();
  expect(await say({ ...machine.connection(), jump: jump(near, { jump: jump(far) }) })).toBe("here");
  expect(await far.logins()).toBe(logins + 1);
});

test("shares connections only between users with the same login", () => {
  const plain = machine.connection();
  const same = silentContext.connections.get(plain);
  expect(silentContext.connections.get({ ...plain, name: "other" })).toBe(same);
  const others = [
    { user: "somebody" },
    { sudoPassword: "x" },
    { password: "y" },
    { agent: true },
    { privateKeyPath: "/else" },
    { jump: jump(near) },
    { jump: jump(near, { user: "somebody" }) },
  ];
  const remotes = [same, ...others.map((more) => silentContext.connections.get({ ...plain, ...more }))];
  expect(new Set(remotes).size).toBe(remotes.length);
});

test("a jump host with another key is an error, and proves nothing about the machine", async () => {
  const wrong = { ...machine.connection(), jump: jump(near, { hostKey: far.hostKey }) };
  const refused = say(wrong);
  await expect(refused).rejects.toThrow(JumpError);
  await expect(refused).rejects.toThrow(
    /machine \(127.0.0.1:\d+ by way of 127.0.0.1:\d+\): its jump host cannot be used: the host shows another key/,
  );
  expect(await checkMachineGone(silentContext.connections.get(wrong), "whoever", signal)).toMatchObject({
    gone: false,
  });
});

test("reports what to set on a jump host that forwards nothing", async () => {
  await expect(say(through(closed))).rejects.toThrow(/does not forward to 127.0.0.1:\d+; set AllowTcpForwarding yes/);
});

test("another key of the machine behind a jump host is reported for the machine", async () => {
  await expect(say(through(near, { hostKey: far.hostKey }))).rejects.toThrow(
    /\(127.0.0.1:\d+ by way of .*\): the host shows another key/,
  );
});

test("logs in with an agent's key, and reports an agent that does not run", async () => {
  const socket = join(machine.folder, "agent");
  const started = await output("ssh-agent", ["-a", socket]);
  const { privateKeyPath, ...keyless } = machine.connection();
  try {
    await run("ssh-add", ["-q", privateKeyPath], { env: { SSH_AUTH_SOCK: socket } });
    vi.stubEnv("SSH_AUTH_SOCK", socket);
    expect(await say({ ...keyless, agent: true })).toBe("here");
    silentContext.connections.closeAll();
    vi.stubEnv("SSH_AUTH_SOCK", "");
    await expect(say({ ...keyless, agent: true })).rejects.toThrow(/SSH_AUTH_SOCK is not set; start one/);
    await expect(say(keyless)).rejects.toThrow(/set privateKeyPath, agent or password/);
  } finally {
    process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]));
  }
});

test("suggests the agent for an encrypted key", async () => {
  const path = join(machine.folder, "encrypted");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret words", "-f", path]);
  await expect(say({ ...machine.connection(), privateKeyPath: path })).rejects.toThrow(
    /is encrypted; give it to an agent/,
  );
});

test("shows and pins the keys of first connections, including those of jump hosts", async () => {
  const connection = { ...unpinned(machine.connection()), jump: unpinned(jump(near, { jump: jump(far) })) };
  const told = context("machine-host");
  const made = await host.create(told, { connection });
  expect(made.outputs).toMatchObject({ hostKey: machine.hostKey, jumpHostKeys: [near.hostKey, far.hostKey] });
  await writeFile(join(machine.folder, "met.pub"), machine.hostKey);
  const [, shown = ""] = (await output("ssh-keygen", ["-lf", join(machine.folder, "met.pub")])).split(" ");
  expect(told.said.join("\n")).toContain(`${shown} is pinned`);
});

test("another route to the same machine changes nothing; another key at an address is another machine", async () => {
  const inputs = { connection: unpinned(machine.connection()) };
  const { outputs } = await host.create(context("machine-host"), inputs);
  const old = { inputs, outputs };
  expect(await host.isSame({ connection: unpinned(through(near)) }, old, silentContext)).toBe(true);
  expect(await host.isSame({ connection: { ...machine.connection(), host: "localhost" } }, old, silentContext)).toBe(
    true,
  );
  expect(
    await host.isSame({ connection: { ...unpinned(machine.connection()), port: far.port } }, old, silentContext),
  ).toBe(false);
  const blocked = host.isSame({ connection: unpinned(through(closed)) }, old, silentContext);
  await expect(blocked).rejects.toThrow(
    /connection settings have changed, and the new ones fail: .*AllowTcpForwarding.*nothing was changed/s,
  );
});

test("a first pin holds for all later connections, and a refresh reports a change", async () => {
  const rebuilt = await startSshd({ name: "rebuilt" });
  try {
    const inputs = { connection: unpinned(rebuilt.connection()) };
    const { outputs } = await host.create(context("rebuilt-host"), inputs);
    await rebuilt.changeHostKey();
    silentContext.connections.closeAll();
    await expect(host.update(context("rebuilt-host"), "rebuilt", inputs, { inputs, outputs })).rejects.toThrow(
      /another key/,
    );
    const told = context("rebuilt-host");
    const read = await host.read(told, "rebuilt", { inputs, outputs });
    expect(read?.outputs.hostKey).toBe(rebuilt.hostKey);
    expect(told.said.join("\n")).toMatch(/another host key than before, which is pinned from now on/);
  } finally {
    await rebuilt.stop();
  }
});
