import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { checkMachineGone } from "../../../provider/kube/dead-node";
import { hostResource } from "../../../provider/resources/host";
import type { Handler } from "../../../provider/rpc/handler";
import type { Contract } from "../../../contracts/contract";
import type { Connection } from "../../../contracts/connection";
import { JumpError } from "../../../provider/ssh/errors";
import { output, run } from "../../../common/process";
import { context } from "../docker/support";
import { startSshd, type Sshd } from "../../support/sshd";
import { Connections } from "../../../provider/ssh/connections";
import { DEFAULT_SETTINGS } from "../../../provider/settings/settings";
import { fingerprint } from "../../../provider/ssh/host-key";
import { silentContext, testContext } from "../../support/context";

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

test("reaches a machine behind a jump host with one connection to each, for any number of commands", async () => {
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
    { user: "other" },
    { sudoPassword: "x" },
    { password: "y" },
    { agent: true },
    { privateKeyPath: "/else" },
    { jump: jump(near) },
    { jump: jump(near, { user: "other" }) },
  ];
  const remotes = [same, ...others.map((more) => silentContext.connections.get({ ...plain, ...more }))];
  expect(new Set(remotes).size).toBe(remotes.length);
});

test("a jump host with another key is an error, and proves nothing about the machine", async () => {
  const wrong = { ...machine.connection(), jump: jump(near, { hostKey: far.hostKey }) };
  const refused = say(wrong);
  await expect(refused).rejects.toThrow(JumpError);
  await expect(refused).rejects.toThrow(
    /machine \(127.0.0.1:\d+ via 127.0.0.1:\d+\): its jump host cannot be used: the host key/,
  );
  const limits = { signal, deadline: Date.now() + 60_000 };
  expect(await checkMachineGone(silentContext.connections.get(wrong), "any-machine-id", limits)).toMatchObject({
    gone: false,
  });
});

test("a jump host that does not forward: the error names the setting", async () => {
  await expect(say(through(closed))).rejects.toThrow(
    /does not allow forwarding to 127.0.0.1:\d+; set AllowTcpForwarding yes/,
  );
});

test("another key of the machine behind a jump host is an error of the machine", async () => {
  await expect(say(through(near, { hostKey: far.hostKey }))).rejects.toThrow(/\(127.0.0.1:\d+ via .*\): the host key/);
});

test("a key of the agent logs in, and a missing agent is reported", async () => {
  const socket = join(machine.folder, "agent");
  const started = await output("ssh-agent", ["-a", socket]);
  const { privateKeyPath, ...keyless } = machine.connection();
  try {
    await run("ssh-add", ["-q", privateKeyPath], { env: { SSH_AUTH_SOCK: socket } });
    const withAgent = new Connections({ ...DEFAULT_SETTINGS, agentSocket: socket });
    const result = await withAgent.get({ ...keyless, agent: true }).run("echo here", { step: "a test", signal });
    withAgent.closeAll();
    expect(result.stdout).toBe("here\n");
    const withoutAgent = new Connections().get({ ...keyless, agent: true });
    await expect(withoutAgent.run("true", { step: "a test", signal })).rejects.toThrow(
      /SSH_AUTH_SOCK is not set; start one/,
    );
    await expect(say(keyless)).rejects.toThrow(/set privateKeyPath, agent or password/);
  } finally {
    process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]));
  }
});

test("suggests the agent for an encrypted key", async () => {
  const path = join(machine.folder, "encrypted");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret words", "-f", path]);
  await expect(say({ ...machine.connection(), privateKeyPath: path })).rejects.toThrow(
    /is encrypted; add the key to an agent/,
  );
});

test("shows and pins the keys of first connections, including those of jump hosts", async () => {
  const connection = { ...unpinned(machine.connection()), jump: unpinned(jump(near, { jump: jump(far) })) };
  const created = context("machine-host");
  const made = await host.create(created, { connection });
  expect(made.outputs).toMatchObject({ hostKey: machine.hostKey, jumpHostKeys: [near.hostKey, far.hostKey] });
  await writeFile(join(machine.folder, "met.pub"), machine.hostKey);
  const [, shown = ""] = (await output("ssh-keygen", ["-lf", join(machine.folder, "met.pub")])).split(" ");
  expect(created.said.join("\n")).toContain(`${shown} is pinned`);
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

test("a pinned key holds, also in a refresh, until a new one is accepted", async () => {
  const rebuilt = await startSshd({ name: "rebuilt" });
  try {
    const inputs = { connection: unpinned(rebuilt.connection()) };
    const { outputs } = await host.create(context("rebuilt-host"), inputs);
    await rebuilt.changeHostKey();
    silentContext.connections.closeAll();
    await expect(host.update(context("rebuilt-host"), "rebuilt", inputs, { inputs, outputs })).rejects.toThrow(
      /is not the pinned one/,
    );
    const recorded = { inputs, outputs };
    await expect(host.read(context("rebuilt-host"), "rebuilt", recorded)).rejects.toThrow(/is not the pinned one/);
    const accepted = fingerprint(rebuilt.hostKey).split(" ")[1] ?? "";
    const accepting = testContext({}, { acceptHostKeys: { rebuilt: accepted } });
    const warnings: string[] = [];
    const read = await host.read({ ...accepting, warn: (message) => void warnings.push(message) }, "rebuilt", recorded);
    accepting.connections.closeAll();
    expect(read?.outputs.hostKey).toBe(rebuilt.hostKey);
    expect(warnings.join("\n")).toMatch(/the accepted host key .* is pinned from now on/);
  } finally {
    await rebuilt.stop();
  }
});
