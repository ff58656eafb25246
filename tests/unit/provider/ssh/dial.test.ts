import { Duplex } from "node:stream";
import { Client } from "ssh2";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../../../common/clock";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../../../../provider/settings/settings";
import { dial } from "../../../../provider/ssh/dial";
import { ConnectionError, HostKeyError } from "../../../../provider/ssh/errors";
import { fingerprint } from "../../../../provider/ssh/host-key";
import { noTrace } from "../../../../provider/settings/trace";
import { InMemorySsh, type Behavior } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();

function attempt(server: InMemorySsh, more: object = {}, settings: Partial<ProviderSettings> = {}) {
  const runtime = { settings: { ...DEFAULT_SETTINGS, ...settings }, clock: systemClock, trace: noTrace };
  return dial({ ...server.connection(), ...more }, runtime, signal, server.connect());
}

async function failure(server: InMemorySsh, more: object = {}, settings: Partial<ProviderSettings> = {}) {
  const error: unknown = await attempt(server, more, settings).then(
    () => expect.fail("it connected"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
}

test("connects, and returns the host key", async () => {
  const server = new InMemorySsh();
  const { client, hostKey } = await attempt(server);
  client.end();
  expect(hostKey).toBe(server.hostKey);
});

test("a connection that the server closes during authentication is a transient error, not a hang", async () => {
  const server = new InMemorySsh({ authenticate: (_attempt, client) => client.end() });
  const error = await failure(server);
  expect([error.kind, error.failure.cause]).toEqual([
    "transient",
    "the server closed the connection during authentication",
  ]);
});

test("a connection that is closed before the key exchange is a transient error", async () => {
  const server = new InMemorySsh();
  const silent = server.connect.bind(server);
  server.connect = () => {
    const stream = silent();
    setImmediate(() => stream.push(null));
    return stream;
  };
  expect((await failure(server)).kind).toBe("transient");
});

test.each<[string, Behavior["authenticate"]]>([
  ["refuses the credentials", (one) => one.reject([])],
  [
    "disconnects after too many attempts",
    (_one, client) => (client as unknown as { _protocol: { disconnect(code: number): void } })._protocol.disconnect(14),
  ],
])("a server that %s refuses the login: no other attempt may succeed", async (_, authenticate) => {
  const error = await failure(new InMemorySsh({ authenticate }));
  expect([error.kind, error.failure.cause]).toEqual(["refused", "the host rejects the key of user root"]);
});

test("another host key than the pinned one names both fingerprints and how to accept it", async () => {
  const server = new InMemorySsh();
  const pinned = server.hostKey;
  server.changeHostKey();
  const error = await failure(server, { hostKey: pinned });
  expect(error).toBeInstanceOf(HostKeyError);
  expect(error.kind).toBe("identity");
  for (const key of [pinned, server.hostKey]) expect(error.message).toContain(fingerprint(key));
  expect(error.failure.action).toContain(
    `recovery.acceptHostKeys.worker-1=${fingerprint(server.hostKey).split(" ")[1]}`,
  );
});

test("no password is sent to a host with another key", async () => {
  const server = new InMemorySsh();
  const pinned = server.hostKey;
  server.changeHostKey();
  await failure(server, { hostKey: pinned, privateKey: undefined, password: "hush" });
  expect(server.passwords).toEqual([]);
  await failure(server, { hostKey: server.hostKey, privateKey: undefined, password: "hush" });
  expect(server.passwords).toEqual(["hush"]);
});

test("a changed host key is accepted by its fingerprint, for the named machine only", async () => {
  const server = new InMemorySsh();
  const pinned = server.hostKey;
  server.changeHostKey();
  const accepted = fingerprint(server.hostKey).split(" ")[1] ?? "";
  const { client, hostKey } = await attempt(server, { hostKey: pinned }, { acceptHostKeys: { "worker-1": accepted } });
  client.end();
  expect(hostKey).toBe(server.hostKey);
  const other = await failure(server, { hostKey: pinned }, { acceptHostKeys: { "worker-2": accepted } });
  expect(other.kind).toBe("identity");
  const wrong = await failure(server, { hostKey: pinned }, { acceptHostKeys: { "worker-1": "SHA256:x" } });
  expect(wrong.kind).toBe("identity");
});

test("a host without a key of the pinned type is another machine", async () => {
  const server = new InMemorySsh();
  const error = await failure(server, { hostKey: "ecdsa-sha2-nistp256 AAAA" });
  expect(error.kind).toBe("identity");
  expect(error.failure.cause).toContain("the host has no ecdsa-sha2-nistp256 key");
});

test("a server that does not answer is a transient error after 15 s, multiplied by the patience", async () => {
  const server = new InMemorySsh();
  const silent = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  server.connect = () => silent;
  const error = await failure(server, {}, { patience: 0.002 });
  expect([error.kind, silent.destroyed]).toEqual(["transient", true]);
});

test("the patience multiplies the time for a login, and the time in which a machine must answer", async () => {
  const connect = vi.spyOn(Client.prototype, "connect");
  const { client } = await attempt(new InMemorySsh(), {}, { patience: 10 });
  client.end();
  expect(connect.mock.calls[0]?.[0]).toMatchObject({ readyTimeout: 150_000, keepaliveInterval: 50_000 });
  connect.mockRestore();
});

test("a connection whose machine does not answer any more can be closed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const server = new InMemorySsh();
  const dialed = await attempt(server);
  const [stream] = server.streams;
  stream!._final = () => undefined; // the machine does not acknowledge the end
  dialed.close();
  expect(dialed.isOpen).toBe(false);
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  expect(stream?.destroyed).toBe(true);
});

test("an abort ends the attempt with its reason, also if the machine does not answer any more", async () => {
  const stop = new AbortController();
  const server = new InMemorySsh({ authenticate: () => stop.abort(new Error("stopped")) });
  const runtime = { settings: DEFAULT_SETTINGS, clock: systemClock, trace: noTrace };
  const stream = server.connect();
  stream._final = () => undefined; // the machine does not acknowledge the end
  await expect(dial(server.connection(), runtime, stop.signal, stream)).rejects.toThrow("stopped");
  expect(stream.destroyed).toBe(true);
});

test.each([
  ["no credentials", { privateKey: undefined }, "no private key, no agent and no password"],
  ["a file that cannot be read", { privateKey: undefined, privateKeyPath: "/nowhere/key" }, "/nowhere/key"],
  [
    "a key of Vagrant's on another computer",
    { privateKey: undefined, privateKeyPath: "/lab/.vagrant/machines/worker-1/libvirt/private_key" },
    "run this command on the computer whose Vagrant has the machine",
  ],
  ["an agent that does not run", { privateKey: undefined, agent: true }, "SSH_AUTH_SOCK is not set"],
])("%s: the cause is named, without a retry", async (_, more, cause) => {
  const server = new InMemorySsh();
  const failing = Promise.resolve().then(() => attempt(server, more));
  await expect(failing).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining(cause) as string });
});

test("a private key that cannot be parsed is refused, and its text is not in the message", async () => {
  const error = await failure(new InMemorySsh(), { privateKey: "not-a-key-but-secret" });
  expect(error.kind).toBe("refused");
  expect(error.message).not.toContain("secret");
});
